"""A sample city: factories in all counties with promises, figures, verdicts, findings and facts.

It shows how the pool looks when it is full, and is what is measured. Nothing of it was measured in
a plant: no rows lie below the facts, and every name says that it is a sample. The same seed makes
the same city.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from api.pool import entry, workdays
from api.pool.entry_sheet import columns
from deploy.errors import DeployError
from kpi.figures.basis import COEFFICIENT_VERSION, METHOD_VERSION, grade
from kpi.policy import Policy, policy_on
from kpi.verdicts.words import Verified, consistency, fulfilment
from store import Connection, pool, sample_city
from store.acting import Actor

PREFIX = "CITY-"
FACT_DAYS = 35
_CHUNK = 50
_CITY = "320600"
_BOUNDS = 0.01
_INPUTS = '{"sample": true}'
_INPUTS_SHA256 = hashlib.sha256(_INPUTS.encode()).digest()

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class _Promised:
    """One KPI of the city: where it lies before, what is promised, and how it forms a year."""

    kpi: str
    unit: str
    before: tuple[float, float]
    change: tuple[float, float]
    adds_up: bool = False


_KPIS = (
    _Promised("oee", "1", (0.52, 0.66), (0.08, 0.16)),
    _Promised("defect_rate", "1", (0.02, 0.05), (-0.015, -0.008)),
    _Promised("on_time_delivery", "1", (0.80, 0.90), (0.05, 0.09)),
    _Promised("inventory_turnover", "turns", (4.0, 7.0), (1.0, 3.0), adds_up=True),
    _Promised("standard_coal", "tce", (2_000.0, 9_000.0), (-900.0, -200.0), adds_up=True),
)


@dataclass(frozen=True, slots=True)
class _Factory:
    """One factory of the plan of the city; achieved is the share of each promise that came true."""

    number: int
    entered: date
    renovated: date
    before: tuple[float, ...]
    expected: tuple[float, ...]
    achieved: tuple[float, ...]
    overstated: float
    heard_share: float
    silent_days: int
    repeated_days: bool


@dataclass(frozen=True, slots=True)
class Made:
    """How much of what was made."""

    factories: int
    figures: int
    verdicts: int
    reports: int
    findings: int
    facts: int


def generate(
    conn: Connection,
    *,
    factories: int,
    months: int,
    seed: int,
    now: datetime,
    progress: Progress = lambda _what, _count: None,
) -> Made:
    """Fill a database with a sample city; raises DeployError where one is there already."""
    if sample_city.factories(conn, PREFIX):
        raise DeployError("there is a sample city in this database; take another database")
    today = workdays.today(now)
    rng = np.random.default_rng(seed)
    planned = [_factory(number, today, months, rng) for number in range(1, factories + 1)]
    counties = [each.name_zh for each in pool.regions(conn) if each.code != _CITY]
    content = _entry_list(planned, counties)
    report = entry.import_list(
        conn, Actor(None, "sample city", "operator"), content, now=now, source="sample city"
    )
    if not report.written:
        raise DeployError(f"the sample city's own list was refused: {report.problems[:1]}")
    progress("memberships", factories)
    numbers = [number for number, _ in sample_city.factories(conn, PREFIX)]
    made = Made(factories, 0, 0, 0, 0, 0)
    for start in range(0, factories, _CHUNK):
        some = dict(zip(numbers[start : start + _CHUNK], planned[start:], strict=False))
        made = _added(made, _fill(conn, some, months, now, rng))
        progress("factories", start + len(some))
    sample_city.analyze(conn)
    return made


def _factory(number: int, today: date, months: int, rng: np.random.Generator) -> _Factory:
    first = workdays.add_months(today.replace(day=1), -months)
    before = tuple(float(rng.uniform(*each.before)) for each in _KPIS)
    change = tuple(float(rng.uniform(*each.change)) for each in _KPIS)
    achieved = rng.normal(1.02, 0.06, len(_KPIS))
    trouble = rng.random(5)
    if trouble[0] < 0.03:
        achieved[0] = -0.3
    return _Factory(
        number=number,
        entered=today - timedelta(days=int(rng.integers(60, 700))),
        renovated=first,
        before=tuple(round(value, 4) for value in before),
        expected=tuple(round(a + b, 4) for a, b in zip(before, change, strict=True)),
        achieved=tuple(float(each) for each in achieved),
        overstated=0.25 if trouble[1] < 0.03 else 0.0,
        heard_share=float(rng.uniform(0.5, 0.85) if trouble[2] < 0.03 else rng.uniform(0.95, 1)),
        silent_days=int(rng.integers(9, 20)) if trouble[3] < 0.03 else 0,
        repeated_days=bool(trouble[4] < 0.02),
    )


def _entry_list(planned: list[_Factory], counties: list[str]) -> bytes:
    out = io.StringIO(newline="")
    names = [name for name, each in columns().items() if each.kpi is None]
    parts = [(each.kpi, part) for each in _KPIS for part in ("before", "expected", "basis")]
    writer = csv.writer(out)
    heads = [columns()[name].zh for name in names]
    writer.writerow(heads + [f"{kpi}_{part}" for kpi, part in parts])
    for each in planned:
        cells: dict[str, Any] = {
            "enterprise": f"示例企业{each.number:04}",
            "credit_code": "",
            "code": f"{PREFIX}{each.number:04}",
            "factory": f"示例企业{each.number:04}智能工厂",
            "kind": "离散" if each.number % 3 else "流程",
            "county": counties[each.number % len(counties)],
            "entered": each.entered.isoformat(),
            "baseline_from": workdays.add_months(each.renovated, -12).isoformat(),
            "baseline_to": (each.renovated - timedelta(days=1)).isoformat(),
            "renovated": each.renovated.isoformat(),
        }
        values = [cells[name] for name in names]
        for place, kpi in enumerate(_KPIS):
            factor = 100 if kpi.unit in ("1", "turns") else 1
            values += [f"{each.before[place] * factor:.2f}",
                       f"{each.expected[place] * factor:.2f}", "有凭证"]  # fmt: skip
        writer.writerow(values)
    return out.getvalue().encode("utf-8-sig")


def _fill(
    conn: Connection,
    some: dict[int, _Factory],
    months: int,
    now: datetime,
    rng: np.random.Generator,
) -> Made:
    today = workdays.today(now)
    assets = sample_city.equip(conn, list(some))
    sample_city.heard(
        conn, {number: now - timedelta(days=one.silent_days) for number, one in some.items()}
    )
    year_count = max(months - 11, 0)
    size = len(some) * len(_KPIS) * (months + year_count)
    numbers = iter(range(first := sample_city.figure_numbers(conn, size), first + size))
    figures: list[tuple[Any, ...]] = []
    verdicts: list[tuple[Any, ...]] = []
    reports: list[tuple[Any, ...]] = []
    policy = policy_on(today)
    for number, one in some.items():
        for place in range(len(_KPIS)):
            made = _Series(number, one, place, months, now, policy)
            made.form(numbers, rng, figures, verdicts, reports)
    found = list(_findings(some, today))
    sample_city.copy(conn, "figures", figures)
    sample_city.copy(conn, "verdicts", verdicts)
    sample_city.copy(conn, "reports", reports)
    sample_city.copy(conn, "findings", found)
    facts = _facts(assets, some, today, rng)
    sample_city.copy_facts(conn, facts)
    return Made(
        len(some), len(figures), len(verdicts), len(reports), len(found), len(facts["hour"])
    )


@dataclass(frozen=True, slots=True)
class _Series:
    """The months and rolling years of one KPI of one factory."""

    factory_id: int
    factory: _Factory
    place: int
    months: int
    now: datetime
    policy: Policy

    def form(
        self,
        numbers: Iterator[int],
        rng: np.random.Generator,
        figures: list[tuple[Any, ...]],
        verdicts: list[tuple[Any, ...]],
        reports: list[tuple[Any, ...]],
    ) -> None:
        """Add the figures, verdicts and reports to their lists."""
        kpi, one = _KPIS[self.place], self.factory
        before, expected = one.before[self.place], one.expected[self.place]
        noise = rng.normal(0, 0.05, self.months)
        values = before + (expected - before) * (one.achieved[self.place] + noise)
        coverage = np.clip(rng.normal(0.97, 0.015, self.months), 0.7, 1.0)
        starts = [workdays.add_months(one.renovated, n) for n in range(self.months + 1)]
        parts = values / 12 if kpi.adds_up else values
        for n in range(self.months):
            period = ("month", starts[n], starts[n + 1])
            figures.append(self._figure(next(numbers), period, parts[n], coverage[n]))
        year_values, year_coverage = _rolling(values), _rolling(coverage)
        for n in range(self.months - 11):
            figure_id, share = next(numbers), float(year_coverage[n])
            point = float(year_values[n])
            year = (starts[n], starts[n + 12])
            figures.append(self._figure(figure_id, ("rolling12", *year), point, share))
            reported = None
            if n % 12 == 0:
                reported = point * (1 + one.overstated)
                at = min(self.now, _at(year[1] + timedelta(days=9)))
                reports.append((self.factory_id, kpi.kpi, *year, reported, at))
            verdicts.append(self._verdict(figure_id, year, point, share, reported))

    def _figure(
        self, figure_id: int, period: tuple[str, date, date], point: float, coverage: float
    ) -> tuple[Any, ...]:
        margin = abs(point) * _BOUNDS * 0.2
        return (
            figure_id, self.factory_id, _KPIS[self.place].kpi, *period, 1, _KPIS[self.place].unit,
            float(point), float(point - margin), float(point + margin), float(coverage),
            grade(float(coverage)), METHOD_VERSION, COEFFICIENT_VERSION, _INPUTS, _INPUTS_SHA256,
            min(self.now, _at(period[2] + timedelta(days=1))),
        )  # fmt: skip

    def _verdict(
        self,
        figure_id: int,
        year: tuple[date, date],
        point: float,
        coverage: float,
        reported: float | None,
    ) -> tuple[Any, ...]:
        kpi, one = _KPIS[self.place], self.factory
        before, expected = one.before[self.place], one.expected[self.place]
        margin = abs(point) * _BOUNDS * 0.2
        verified = Verified(point, point - margin, point + margin, coverage)
        kept = fulfilment(before, expected, verified, self.policy)
        tolerance = self.policy.tolerance(kpi.kpi, kpi.unit)
        true = consistency(reported, verified, tolerance, self.policy)
        return (
            self.factory_id, kpi.kpi, *year, figure_id, before, "documented", expected, reported,
            kept.share, kept.low, kept.high, kept.verdict, true.deviation, true.verdict,
            self.policy.version, "[]", min(self.now, _at(year[1] + timedelta(days=1))),
        )  # fmt: skip


def _findings(some: dict[int, _Factory], today: date) -> Iterator[tuple[Any, ...]]:
    for number, one in some.items():
        for back in (3, 2, 1):
            month = workdays.add_months(today.replace(day=1), -back)
            end = workdays.add_months(month, 1)
            for rule in ("P01", "P09", "P15"):
                failed = rule == "P09" and one.repeated_days and back == 1
                yield (
                    number, month, end, rule, "DQ-2026.1", "fail" if failed else "pass", "M01",
                    1.0 if failed else 0.0, 0.0, "count", "sample", "[]", 0, _at(end), _at(end),
                )  # fmt: skip


def _facts(
    assets: list[tuple[int, int]],
    some: dict[int, _Factory],
    today: date,
    rng: np.random.Generator,
) -> dict[str, npt.NDArray[Any]]:
    hours = FACT_DAYS * 24
    end_us = int(_at(today).timestamp()) * 1_000_000
    per_asset = end_us - 3_600_000_000 * np.arange(hours, 0, -1, dtype=np.int64)
    count = len(assets) * hours
    shares = np.array([some[factory].heard_share for _, factory in assets])
    silent = np.array([some[factory].silent_days for _, factory in assets])
    heard = np.repeat(shares * 3600.0, hours).reshape(len(assets), hours)
    heard[np.arange(hours)[None, :] >= hours - 24 * silent[:, None]] = 0.0
    known = heard.ravel()
    run = np.minimum(known, 3600.0 * rng.uniform(0.6, 0.9, count))
    zero, one = np.zeros(count), np.ones(count, np.int32)
    return {
        "hour": np.tile(per_asset, len(assets)),
        "asset_id": np.repeat(np.array([each for each, _ in assets], np.int32), hours),
        "planned_s": np.full(count, 3600.0), "planned_down_s": zero, "off_s": zero,
        "run_s": run, "setup_s": zero, "stop_s": zero, "idle_s": known - run,
        "unknown_s": 3600.0 - known, "known_s": known, "uncounted_s": 3600.0 - known,
        "total": run / 60.0, "good": run / 61.0, "energy": run / 100.0,
        "row_count": one, "changes": one, "flags": one * 0, "digest": np.arange(count),
    }  # fmt: skip


def _rolling(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean of each twelve months."""
    if len(values) < 12:
        return values[:0]
    return np.asarray(np.convolve(values, np.full(12, 1 / 12), "valid"), np.float64)


@cache
def _at(day: date) -> datetime:
    return datetime.combine(day, time(), workdays.ZONE).astimezone(UTC)


def _added(a: Made, b: Made) -> Made:
    return Made(
        a.factories, a.figures + b.figures, a.verdicts + b.verdicts, a.reports + b.reports,
        a.findings + b.findings, a.facts + b.facts,
    )  # fmt: skip
