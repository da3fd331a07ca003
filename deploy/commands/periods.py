"""Options that name a window of local days."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import typer

PeriodOption = Annotated[
    str | None, typer.Option("--period", help="A year, quarter or month: 2026, 2026-Q1, 2026-03.")
]
FromOption = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")
]
ToOption = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="The day after the last local day."),
]

_PERIOD = re.compile(r"(?P<year>20\d\d)(?:-(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")


@dataclass(frozen=True, slots=True)
class Days:
    """Local days, half-open."""

    start: date
    end: date


def chosen(period: str | None, start: datetime | None, end: datetime | None) -> Days | None:
    """Return the window that the options name, None without any; raises BadParameter."""
    if period is not None:
        if start is not None or end is not None:
            raise typer.BadParameter("give either --period or --from and --to")
        return _named(period)
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise typer.BadParameter("--from and --to go together")
    if start >= end:
        raise typer.BadParameter("--to must lie after --from; it is the day after the last one")
    return Days(start.date(), end.date())


def _named(period: str) -> Days:
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise typer.BadParameter(
            f"{period!r} is no period: give a year, quarter or month: 2026, 2026-Q1, 2026-03"
        )
    year = int(found["year"])
    if found["quarter"] is not None:
        return _months(year, 3 * int(found["quarter"]) - 2, 3)
    if found["month"] is not None:
        return _months(year, int(found["month"]), 1)
    return _months(year, 1, 12)


def _months(year: int, first: int, count: int) -> Days:
    after = first - 1 + count
    return Days(date(year, first, 1), date(year + after // 12, after % 12 + 1, 1))
