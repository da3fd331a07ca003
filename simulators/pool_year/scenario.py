"""The scenario of the year: what happens at each factory, day by day."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from typing import Any

from simulators.pool_year.days import DAY, months_on, workdays_on

_MOST_SILENT = 3
_FINAL = {"fail_rectification", "confirm_leave"}

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop of the whole plant, and the day on which it was filed."""

    first: date
    last: date
    filed: date

    def holds(self, day: date) -> bool:
        """Tell whether the plant stands still on a day."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Thin:
    """Days of which a share of the data comes only."""

    first: date
    last: date
    share: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A check of plausibility that a month fails, from when to when."""

    check: str
    month: date
    found: date
    cleared: date


@dataclass(frozen=True, slots=True)
class Act:
    """Something that people do at a factory by day."""

    on: date
    do: str


@dataclass(frozen=True, slots=True)
class Report:
    """What people do with the report of a period; claims is what they say of its deliveries."""

    kind: str
    start: date
    acts: tuple[Act, ...]
    claims: float | None = None


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Order lines due in each month and how many of them were on time, by the month's level.

    before and expected are shares, as the application says.
    """

    first: date
    lines: int
    before: float
    expected: float
    levels: tuple[tuple[date, int], ...]

    def on_time(self, month: date) -> int:
        """Return how many lines due in a month were on time."""
        return [count for begins, count in self.levels if begins <= month][-1]


@dataclass(frozen=True, slots=True)
class Factory:
    """What happens at one factory; spans name their first and last day."""

    code: str
    entered: date
    silent: tuple[Span, ...]
    stops: tuple[Stop, ...]
    thin: tuple[Thin, ...]
    findings: tuple[Failed, ...]
    acts: tuple[Act, ...]
    reports: tuple[Report, ...]
    deliveries: Deliveries | None

    @property
    def left_on(self) -> date | None:
        """Return the day on which it leaves the pool, if it does."""
        return next((act.on for act in self.acts if act.do in _FINAL), None)

    def done(self, what: str) -> date | None:
        """Return the day on which something is done, if it is."""
        return next((act.on for act in self.acts if act.do == what), None)

    def is_silent(self, day: date) -> bool:
        """Tell whether nothing comes on a day."""
        return any(first <= day <= last for first, last in self.silent)

    def is_filed(self, day: date) -> bool:
        """Tell whether a day lies in a stop that was filed in time, or before that day."""
        return any(
            each.holds(day)
            and (each.filed <= day or each.filed <= workdays_on(each.first, _MOST_SILENT))
            for each in self.stops
        )

    def share(self, day: date, seen_on: date) -> float:
        """Return how complete a day's data are as they were there on a later morning.

        Data of a silence come on the first day after it; of a stop there are none.
        """
        for first, last in self.silent:
            if first <= day <= last and (seen_on <= last or self.is_stopped(day)):
                return 0.0
        found = [each.share for each in self.thin if each.first <= day <= each.last]
        return found[0] if found else 1.0

    def is_stopped(self, day: date) -> bool:
        """Tell whether the plant stands still on a day, filed in time or not."""
        return any(each.holds(day) for each in self.stops)


@dataclass(frozen=True, slots=True)
class Year:
    """The scenario: its days and its factories."""

    first: date
    last: date
    factories: tuple[Factory, ...]

    @property
    def days(self) -> list[date]:
        """Return every day of the year."""
        return [self.first + n * DAY for n in range((self.last - self.first).days + 1)]

    def opened(self, period_end: date) -> date:
        """Return the night that opens the report of a period."""
        return max(self.first, period_end)


def load() -> Year:
    """Return the scenario that came with this version."""
    text = files("simulators.pool_year").joinpath("year.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    year = Year(found["first"], found["last"], ())
    factories = tuple(
        _factory(year, found["habit"], {"entered": found["entered"]} | each)
        for each in found["factory"]
    )
    return replace(year, factories=factories)


def _factory(year: Year, habit: Mapping[str, int], given: Mapping[str, Any]) -> Factory:
    others = {(each["kind"], each["start"]): each for each in given.get("reports", ())}
    acts = tuple(Act(each["on"], each["do"]) for each in given.get("acts", ()))
    plain = Factory(
        code=given["code"],
        entered=given["entered"],
        silent=tuple((first, last) for first, last in given.get("silent", ())),
        stops=tuple(
            Stop(each["span"][0], each["span"][1], each["filed"]) for each in given.get("stops", ())
        ),
        thin=tuple(
            Thin(each["span"][0], each["span"][1], each["share"])
            for each in given.get("shares", ())
        ),
        findings=tuple(Failed(**each) for each in given.get("findings", ())),
        acts=acts,
        reports=(),
        deliveries=_deliveries(given["deliveries"]) if "deliveries" in given else None,
    )
    reports = tuple(
        _report(year, habit, others.get((kind, start), {}), kind, start)
        for kind, start, end in _periods(plain.entered, year.last)
        if plain.left_on is None or year.opened(end) <= plain.left_on
    )
    return replace(plain, reports=reports)


def _periods(entered: date, last: date) -> list[tuple[str, date, date]]:
    """Return the quarters and years that a factory that entered then reports on."""
    found = []
    for kind, months in (("Q", 3), ("Y", 12)):
        start = date(entered.year, (entered.month - 1) // months * months + 1, 1)
        while (end := months_on(start, months)) <= last:
            found.append((kind, start, end))
            start = end
    return found


def _report(
    year: Year, habit: Mapping[str, int], given: Mapping[str, Any], kind: str, start: date
) -> Report:
    opened = year.opened(months_on(start, 3 if kind == "Q" else 12))
    acts = [Act(opened + days * DAY, do) for do, days in habit.items()]
    if "acts" in given:
        acts = [Act(on, do) for do, on in given["acts"]]
    return Report(kind, start, tuple(acts), given.get("claims"))


def _deliveries(given: Mapping[str, Any]) -> Deliveries:
    levels = tuple((month, count) for month, count in given["levels"])
    return Deliveries(given["first"], given["lines"], given["before"], given["expected"], levels)
