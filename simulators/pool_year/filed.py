"""What becomes of each report of the year, step by step, and when it is late."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from simulators.pool_year.days import DAY, months_on, workdays_on
from simulators.pool_year.scenario import Factory, Report, Year

_RETURN_WORKDAYS = 5
_QUARTER_DUE = 15
_YEAR_DUE = (3, 31)


@dataclass(frozen=True, slots=True)
class Filing:
    """A step of a report on a day; the machine opens it and marks it as overdue."""

    factory: str
    kind: str
    start: date
    do: str
    on: date


@dataclass(frozen=True, slots=True)
class Part:
    """A time in which the enterprise has a report: up to which day, and when it handed it in."""

    begins: date
    due: date
    handed_over: date | None
    submitted: date | None


def filings(year: Year) -> set[Filing]:
    """Return every step of every report of the year."""
    return {each for factory in year.factories for each in _filings(year, factory)}


def _filings(year: Year, factory: Factory) -> Iterator[Filing]:
    for report in factory.reports:
        key = factory.code, report.kind, report.start
        yield Filing(*key, "open", year.opened(period_end(report)))
        for act in report.acts:
            yield Filing(*key, act.do, act.on)
        for late in overdue_nights(year, factory, report):
            yield Filing(*key, "overdue", late)


def overdue_nights(year: Year, factory: Factory, report: Report) -> Iterator[date]:
    """Yield the nights on which a report is marked as overdue; not once its factory has left."""
    for fired, _ in lateness(year, report):
        if factory.left_on is None or fired <= factory.left_on:
            yield fired


def period_end(report: Report) -> date:
    """Return the day after a report's period."""
    return months_on(report.start, 3 if report.kind == "Q" else 12)


def due_on(year: Year, report: Report) -> date:
    """Return the last day on which a report is in time."""
    end = period_end(report)
    by_rule = end.replace(day=_QUARTER_DUE) if report.kind == "Q" else date(end.year, *_YEAR_DUE)
    return max(by_rule, year.opened(end))


def parts(year: Year, report: Report) -> list[Part]:
    """Return the times in which the enterprise has a report: from its opening and each return."""
    begins, due = year.opened(period_end(report)), due_on(year, report)
    found: list[Part] = []
    handed_over: date | None = None
    submitted: date | None = None
    for act in report.acts:
        if act.do == "hand_over":
            handed_over = act.on
        elif act.do == "submit":
            submitted = act.on
        elif act.do == "county_return":
            found.append(Part(begins, due, handed_over, submitted))
            begins, due = act.on, workdays_on(act.on, _RETURN_WORKDAYS)
            handed_over = submitted = None
    return [*found, Part(begins, due, handed_over, submitted)]


def lateness(year: Year, report: Report) -> Iterator[tuple[date, date | None]]:
    """Yield from which night on a report is late, and the first one that does not find it so."""
    for part in parts(year, report):
        late = part.due + DAY
        if late <= year.last and (part.submitted is None or late <= part.submitted):
            yield late, None if part.submitted is None else part.submitted + DAY
