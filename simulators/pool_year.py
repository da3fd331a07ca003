"""A year of a small pool, and the warnings and proposals that a correct system must make of it.

The truth is found by walking through the days of the scenario, by code that shares nothing with the
rules that it tests. Nights are at 01:30 local; what happens on a day by people happens by day, so
that the next night is the first to see it.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from itertools import pairwise
from typing import Any

import chinese_calendar

_DAY = timedelta(days=1)
_WINDOW = 30
_LEAST = 0.9
_MOST_SILENT = 3
_TERM = 30
_CHECKED = {"P01", "P03", "P09", "P13", "P14", "P15"}

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Expected:
    """A warning or a proposal: the night that must make it, and the one that must end it."""

    factory: str
    rule: str
    fired: date
    ended: date | None


@dataclass(frozen=True, slots=True)
class Factory:
    """What happens at one factory; spans name their first and last day."""

    code: str
    silent: tuple[Span, ...]
    stops: tuple[Mapping[str, Any], ...]
    shares: tuple[Mapping[str, Any], ...]
    verdicts: tuple[Mapping[str, Any], ...]
    reports: tuple[Mapping[str, Any], ...]
    findings: tuple[Mapping[str, Any], ...]
    accidents: tuple[Mapping[str, Any], ...]

    def is_silent(self, day: date) -> bool:
        """Tell whether nothing comes on a day."""
        return any(first <= day <= last for first, last in self.silent)

    def is_filed(self, day: date) -> bool:
        """Tell whether a day lies in a stop that was filed in time, or before that day."""
        return any(
            each["span"][0] <= day <= each["span"][1]
            and (each["filed"] <= day or each["filed"] <= _workday_after(each["span"][0]))
            for each in self.stops
        )

    def share(self, day: date, seen_on: date) -> float:
        """Return how complete a day's data are as they were there on a later morning.

        Data of a silence come on the first day after it; of a stop there are none.
        """
        for first, last in self.silent:
            if first <= day <= last and (seen_on <= last or self.is_stopped(day)):
                return 0.0
        found = [each["share"] for each in self.shares if each["span"][0] <= day <= each["span"][1]]
        return float(found[0]) if found else 1.0

    def is_stopped(self, day: date) -> bool:
        """Tell whether the plant stands still on a day, filed in time or not."""
        return any(each["span"][0] <= day <= each["span"][1] for each in self.stops)


@dataclass(frozen=True, slots=True)
class Year:
    """The scenario: its days, the factories' entry, and the factories."""

    first: date
    last: date
    entered: date
    factories: tuple[Factory, ...]

    @property
    def days(self) -> list[date]:
        """Return every day of the year."""
        return [self.first + n * _DAY for n in range((self.last - self.first).days + 1)]


def load() -> Year:
    """Return the scenario that came with this version."""
    text = files("simulators").joinpath("pool_year.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    lists = ("stops", "shares", "verdicts", "reports", "findings", "accidents")
    return Year(
        found["first"],
        found["last"],
        found["entered"],
        tuple(
            Factory(
                code=each["code"],
                silent=tuple((first, last) for first, last in each.get("silent", ())),
                **{name: tuple(each.get(name, ())) for name in lists},
            )
            for each in found["factory"]
        ),
    )


def truth(year: Year) -> set[Expected]:
    """Return every warning and proposal of the year, and nothing else."""
    found: set[Expected] = set()
    for factory in year.factories:
        warned = [
            *_spans(year, factory, "silent", _silent),
            *_spans(year, factory, "completeness", _incomplete),
            *_worse(factory),
            *_inconsistent(factory),
            *_implausible(factory),
            *_accidents(factory),
        ]
        found |= {*warned, *_proposals(year, factory, warned)}
    return found


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
    missed, before = 0, day - _DAY
    while factory.is_silent(before):
        missed += chinese_calendar.is_workday(before) and not factory.is_filed(before)
        before -= _DAY
    return missed > _MOST_SILENT


def _incomplete(factory: Factory, day: date) -> bool:
    counted = [
        factory.share(day - n * _DAY, day)
        for n in range(1, _WINDOW + 1)
        if not factory.is_filed(day - n * _DAY)
    ]
    return sum(counted) < _LEAST * len(counted) - 1e-9


def _worse(factory: Factory) -> Iterator[Expected]:
    fired: date | None = None
    for before, after in pairwise(factory.verdicts):
        if before["word"] == after["word"] == "worse":
            fired = after["on"]
        elif fired is not None and after["word"] != "worse":
            yield Expected(factory.code, "worse", fired, after["on"])
            fired = None


def _inconsistent(factory: Factory) -> Iterator[Expected]:
    fired: date | None = None
    for each in factory.reports:
        if each["word"] == "false":
            fired = fired or each["on"]
        elif each["word"] in ("same", "off") and fired is not None:
            yield Expected(factory.code, "inconsistent", fired, each["on"])
            fired = None


def _implausible(factory: Factory) -> Iterator[Expected]:
    for each in factory.findings:
        if each["check"] in _CHECKED:
            yield Expected(factory.code, "implausible", each["found"], each["cleared"])


def _accidents(factory: Factory) -> Iterator[Expected]:
    for each in factory.accidents:
        yield Expected(factory.code, "accident", each["on"] + _DAY, each["passed"] + _DAY)


def _proposals(year: Year, factory: Factory, warned: Sequence[Expected]) -> Iterator[Expected]:
    """Yield what is proposed where the machine's warning outlives its term."""
    begins: date | None = None
    for day in [*year.days, year.last + _DAY]:
        open_ = any(each.fired <= day < (each.ended or date.max) for each in warned)
        left = any(each["ordered"] == day - _DAY for each in factory.accidents)
        if open_ and begins is None and not _in_rectification(factory, day):
            begins = day
        elif begins is not None and (not open_ or left):
            if day > begins + (_TERM + 1) * _DAY:
                yield Expected(factory.code, "deadline_passed", begins + (_TERM + 1) * _DAY, day)
            begins = None


def _in_rectification(factory: Factory, day: date) -> bool:
    return any(each["ordered"] < day <= each["passed"] + _DAY for each in factory.accidents)


def _workday_after(day: date) -> date:
    """Return the last day on which a stop that begins so may be filed: three working days on."""
    left = _MOST_SILENT
    while left:
        day += _DAY
        left -= chinese_calendar.is_workday(day)
    return day
