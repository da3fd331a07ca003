"""What the figure job formed of a plant, and days that machines worked."""

from datetime import date, timedelta
from typing import Any

from store import figures
from store.figures import Figure
from tests.kpi.plant import (
    Plant,
    china,
    machine_day,
)

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
IN_APRIL = china("2026-04-02 09:20")


def revisions(
    plant: Plant, kpi: str, start: date = MARCH, kind: figures.PeriodKind = "month"
) -> list[Figure]:
    """All revisions of one figure."""
    return figures.revisions(plant.conn, plant.factory_id, kpi, kind, start)


def numbers(plant: Plant, kpi: str, start: date = MARCH, kind: figures.PeriodKind = "month") -> Any:
    """The revision numbers of one figure."""
    return [each.revision for each in revisions(plant, kpi, start, kind)]


def periods(plant: Plant, kpi: str = "oee") -> set[tuple[str, date]]:
    """The periods of which a KPI has a figure."""
    found = figures.latest(plant.conn, plant.factory_id, kpi=kpi)
    return {(each.period_kind, each.period_start) for each in found}


def stored(plant: Plant) -> list[tuple[Any, ...]]:
    """All figures as they are stored, but for the time of computing."""
    return plant.conn.execute(
        "SELECT kpi, period_kind, period_start, revision, point, low, high, coverage, reason,"
        " inputs, encode(inputs_sha256, 'hex') FROM kpi.figure ORDER BY 1, 2, 3, 4"
    ).fetchall()


def feed(plant: Plant) -> list[tuple[Any, ...]]:
    """The follow-up feed."""
    return plant.conn.execute(
        "SELECT what, kpi, period_kind, period_start, before, after FROM pool.follow_up"
        " ORDER BY cursor"
    ).fetchall()


def mondays(first: date, end: date) -> list[str]:
    """Every seventh day of [first, end)."""
    return [f"{first + timedelta(days=number)}" for number in range(0, (end - first).days, 7)]


def worked(days: list[str]) -> dict[str, list[Any]]:
    """The rows of both machines on some days."""
    rows: dict[str, list[Any]] = {}
    for day in days:
        for code in ("M01", "M02"):
            for name, readings in machine_day(code, day).items():
                rows.setdefault(name, []).extend(readings)
    return rows


def months_between(first: date, end: date) -> list[date]:
    """The firsts of month of [first, end)."""
    return [
        date(number // 12, number % 12 + 1, 1)
        for number in range(first.year * 12 + first.month - 1, end.year * 12 + end.month - 1)
    ]
