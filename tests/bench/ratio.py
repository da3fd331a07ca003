"""A ratio of two ways to do the same, measured in turns so that both meet the same machine."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Speed of ours divided by that of the other way, once a repeat; at least `target` is meant."""

    what: str
    against: str
    target: float
    values: tuple[float, ...]
    note: str

    @property
    def value(self) -> float:
        """Return the median of the repeats."""
        return median(self.values)

    @property
    def holds(self) -> bool:
        """Tell whether the target is met."""
        return self.value >= self.target


def in_turns(pairs: Sequence[tuple[Work, Work]]) -> tuple[float, float]:
    """Do both of each pair, each first in every other one; return the seconds of either side."""
    ours_s = theirs_s = 0.0
    for number, (ours, theirs) in enumerate(pairs):
        if number % 2:
            ours_s += _seconds(ours)
            theirs_s += _seconds(theirs)
        else:
            theirs_s += _seconds(theirs)
            ours_s += _seconds(ours)
    return ours_s, theirs_s


def _seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
