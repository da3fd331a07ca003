"""What a birth tells: which metrics there are, and how data will name them later."""

from collections.abc import Iterable
from typing import NamedTuple

from collectors.sparkplug.payload import Metric


class Born(NamedTuple):
    """A metric of a birth; data may name it by its alias and leave out its datatype."""

    name: str
    alias: int | None
    datatype: int | None


class Table:
    """The metrics of an edge node itself or of one device, by name and by alias.

    is_certain is False once a message was lost: a later birth may have been among the lost, so
    that an alias may stand for something else now.
    """

    def __init__(self, born: Iterable[Born], *, is_certain: bool = True) -> None:
        self.by_name: dict[str, Born] = {}
        self.by_alias: dict[int, Born] = {}
        self.is_certain = is_certain
        self.repeated: set[int] = set()
        for one in born:
            self.by_name[one.name] = one
            if one.alias is None:
                continue
            if one.alias in self.by_alias:
                self.repeated.add(one.alias)
            self.by_alias[one.alias] = one
        for alias in self.repeated:
            del self.by_alias[alias]

    def find(self, metric: Metric) -> Born | None:
        """Return the birth of a metric of a data message; one that bears a name needs no alias."""
        if metric.name:
            return self.by_name.get(metric.name)
        return None if metric.alias is None else self.by_alias.get(metric.alias)


def table_of(metrics: Iterable[Metric]) -> Table:
    """Return the table of a birth's metrics; one without a name cannot be told of."""
    return Table(Born(one.name, one.alias, one.datatype) for one in metrics if one.name)
