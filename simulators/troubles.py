"""Named troubles of a tag: what a wrong device or a dishonest hand makes of a true signal.

A trouble changes what a tag shows and never what happened, so that the truth stays the same.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from simulators import clock
from simulators.clock import Instants
from simulators.errors import ScenarioError
from simulators.model import Trouble
from simulators.noise import Floats
from simulators.signals import Signal
from simulators.tags import TagSpec

FROZEN, RESET, REPLAYED, UNPOWERED, SKEWED, INFLATED, MISBILLED = KINDS = (
    "frozen",
    "reset",
    "replayed",
    "unpowered",
    "skewed",
    "inflated",
    "misbilled",
)
# What is wrong with the value itself, and not with a clock or with a book.
_OF_VALUES = (FROZEN, RESET, REPLAYED, UNPOWERED)
_REGISTERS = ("energy", "total_count", "reject_count")
# What a machine draws that is switched off at its main switch: its controls' supply.
_STANDBY = 0.05


@dataclass(frozen=True, slots=True)
class Span:
    """A trouble in time: [start, end) and how far back or ahead it looks [µs]."""

    kind: str
    start_us: int
    end_us: int
    shift_us: int

    def holds(self, instants_us: Instants) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Tell of each instant whether the trouble lasts at it."""
        return (instants_us >= self.start_us) & (instants_us < self.end_us)


@dataclass(frozen=True, slots=True, eq=False)
class Troubled:
    """A signal with a trouble."""

    true: Signal
    span: Span
    register: bool

    def at(self, instants_us: Instants) -> Floats:
        """Return the value that is shown at each instant."""
        shown, span = self.true.at(instants_us), self.span
        inside = span.holds(instants_us)
        if span.kind == FROZEN:
            return np.where(inside, self._true_at(span.start_us), shown)
        if span.kind == UNPOWERED:
            return np.where(inside, shown * _STANDBY, shown)
        if span.kind == RESET:
            # The register begins anew and does not know what it counted before.
            return np.where(
                instants_us >= span.start_us, shown - self._true_at(span.start_us), shown
            )
        earlier = self.true.at(np.where(inside, instants_us - span.shift_us, instants_us))
        if self.register:
            # The increases are those of the earlier day, and the register goes on from there.
            jump = self._true_at(span.start_us) - self._true_at(span.start_us - span.shift_us)
            ahead = self._true_at(span.end_us - span.shift_us) + jump - self._true_at(span.end_us)
            earlier = earlier + np.where(inside, jump, 0.0)
            earlier = earlier + np.where(instants_us >= span.end_us, ahead, 0.0)
        return earlier

    def _true_at(self, instant_us: int) -> float:
        return float(self.true.at(np.array([instant_us], np.int64))[0])

    def changes(self, start_us: int, end_us: int) -> Instants:
        """Return the instants at which the true signal changes."""
        return self.true.changes(start_us, end_us)

    def since(self, instant_us: int) -> int:
        """Return the source time of the true signal."""
        return self.true.since(instant_us)


def span_of(trouble: Trouble, renovation: date) -> Span:
    """Place a trouble in time; its month counts from the renovation."""
    if trouble.kind not in KINDS:
        raise ScenarioError(f"trouble.kind: {trouble.kind!r}; allowed: {', '.join(KINDS)}")
    first = clock.add_months(renovation, trouble.month).replace(day=trouble.day)
    start = clock.midnight_us(clock.day_number(first))
    start += clock.seconds_of_day(trouble.starts) * clock.SECOND_US
    shift = trouble.ahead_s * clock.SECOND_US
    if trouble.kind == REPLAYED:
        shift = trouble.days_back * clock.DAY_US
    return Span(
        trouble.kind, start, start + round(trouble.hours * 3600) * clock.SECOND_US, round(shift)
    )


def troubled(
    tag: TagSpec, signal: Signal, troubles: tuple[Trouble, ...], renovation: date
) -> Signal:
    """Return what a tag shows with the troubles that name it; clocks are another matter."""
    for trouble in troubles:
        span = span_of(trouble, renovation)
        if trouble.tag == tag.name and trouble.kind in _OF_VALUES:
            signal = Troubled(signal, span, tag.role in _REGISTERS)
    return signal


def ahead_us(tag: TagSpec, now_us: int, troubles: tuple[Trouble, ...], renovation: date) -> int:
    """Return how far the clock of a tag's device is ahead at an instant [µs]."""
    instant = np.array([now_us], np.int64)
    return int(skewed(tag, instant, troubles, renovation)[0]) - now_us


def overstated(
    name: str, instant_us: int, troubles: tuple[Trouble, ...], renovation: date
) -> float:
    """Return the factor by which a book named like that overstates at an instant."""
    factor = 1.0
    for trouble in troubles:
        if trouble.tag == name and trouble.kind in (INFLATED, MISBILLED):
            span = span_of(trouble, renovation)
            factor *= trouble.times if span.start_us <= instant_us < span.end_us else 1.0
    return factor


def skewed(
    tag: TagSpec, instants_us: Instants, troubles: tuple[Trouble, ...], renovation: date
) -> Instants:
    """Return the source times that a tag's device writes at some instants."""
    for trouble in troubles:
        if trouble.tag == tag.name and trouble.kind == SKEWED:
            span = span_of(trouble, renovation)
            instants_us = instants_us + span.holds(instants_us) * span.shift_us
    return instants_us
