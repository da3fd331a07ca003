"""Which warnings and proposals the year deserves, night by night."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import pairwise

from simulators.pool_year.days import DAY, is_worked, months_on
from simulators.pool_year.filed import lateness
from simulators.pool_year.judged import consistency, fulfilment, reported
from simulators.pool_year.scenario import Factory, Year

_WINDOW = 30
_LEAST = 0.9
_MOST_SILENT = 3
_CHECKED = {"P01", "P03", "P09", "P13", "P14", "P15"}


@dataclass(frozen=True, slots=True)
class Expected:
    """A warning or a proposal: the night that must make it, and the one that must end it."""

    factory: str
    rule: str
    fired: date
    ended: date | None

    def is_open(self, night: date) -> bool:
        """Tell whether it is open once a night's run has ended."""
        return self.fired <= night and (self.ended is None or night < self.ended)


def warnings(year: Year) -> list[Expected]:
    """Return every warning of the year, and nothing else."""
    return [each for factory in year.factories for each in warnings_of(year, factory)]


@cache
def warnings_of(year: Year, factory: Factory) -> list[Expected]:
    """Return every warning of a factory; what is open when it leaves ends the night after."""
    found = [
        *_spans(year, factory, "silent", _silent),
        *_spans(year, factory, "completeness", _incomplete),
        *_worse(year, factory),
        *_inconsistent(factory),
        *_implausible(factory),
        *_accidents(factory),
        *lateness_warnings(year, factory),
    ]
    left = factory.left_on
    if left is None:
        return found
    ends = left + DAY
    return [
        replace(each, ended=min(each.ended or ends, ends)) for each in found if each.fired <= left
    ]


def lateness_warnings(year: Year, factory: Factory) -> Iterator[Expected]:
    """Yield a warning for each report, from the night that finds it late to the one that does not.

    A report that is returned has a new term.
    """
    for report in factory.reports:
        for fired, ended in lateness(year, report):
            yield Expected(factory.code, "report_overdue", fired, ended)


def _spans(
    year: Year, factory: Factory, rule: str, holds: Callable[[Factory, date], bool]
) -> Iterator[Expected]:
    fired: date | None = None
    for day in year.days:
        is_there = holds(factory, day)
        if is_there and fired is None:
            fired = day
        elif not is_there and fired is not None:
            yield Expected(factory.code, rule, fired, day)
            fired = None
    if fired is not None:
        yield Expected(factory.code, rule, fired, None)


def _silent(factory: Factory, day: date) -> bool:
    if not factory.is_silent(day):
        return False
    missed, before = 0, day - DAY
    while factory.is_silent(before):
        missed += is_worked(before) and not factory.is_filed(before)
        before -= DAY
    return missed > _MOST_SILENT


def _incomplete(factory: Factory, day: date) -> bool:
    counted = [
        factory.share(day - n * DAY, day)
        for n in range(1, _WINDOW + 1)
        if not factory.is_filed(day - n * DAY)
    ]
    return sum(counted) < _LEAST * len(counted) - 1e-9


def _worse(year: Year, factory: Factory) -> Iterator[Expected]:
    """Yield what two quarters in a row deserve; a quarter is judged on the day after its end."""
    if factory.deliveries is None:
        return
    ends = [months_on(factory.deliveries.first, number) for number in range(12, 25, 3)]
    words = [(end, fulfilment(factory.deliveries, end)) for end in ends if end <= year.last]
    fired: date | None = None
    for (_, before), (end, after) in pairwise(words):
        if before == after == "worse" and fired is None:
            fired = end + DAY
        elif after != "worse" and fired is not None:
            yield Expected(factory.code, "worse", fired, end + DAY)
            fired = None
    assert fired is None, "the scenario's year ends without it"


def _inconsistent(factory: Factory) -> Iterator[Expected]:
    if factory.deliveries is None:
        return
    fired: date | None = None
    for report in factory.reports:
        end = months_on(report.start, 3)
        on = reported(factory, end) if report.kind == "Q" else None
        if on is None or end < months_on(factory.deliveries.first, 12):
            continue
        if consistency(factory, end) == "false":
            fired = fired or on + DAY
        elif fired is not None:
            yield Expected(factory.code, "inconsistent", fired, on + DAY)
            fired = None
    assert fired is None, "the scenario's year ends without it"


def _implausible(factory: Factory) -> Iterator[Expected]:
    for each in factory.findings:
        if each.check in _CHECKED:
            yield Expected(factory.code, "implausible", each.found, each.cleared)


def _accidents(factory: Factory) -> Iterator[Expected]:
    """Yield what an accident deserves until a rectification that dealt with it is passed."""
    on, passed = factory.done("accident"), factory.done("pass_rectification")
    if on is not None and passed is not None:
        yield Expected(factory.code, "accident", on + DAY, passed + DAY)
