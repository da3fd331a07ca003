"""What all figures share: periods, evidence, estimates and grades."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from kpi.calendar import local_midnight, production_start, to_us
from kpi.figures.bills import Bill
from kpi.figures.bridges import Bridges, Shift
from kpi.figures.people import Project
from kpi.formulas.delivery import OrderLine
from kpi.reasons import because, stored
from store.figures import NewFigure
from store.registry import Asset, MonitoringPlan

METHOD_VERSION = "KPI-2026.4"
COEFFICIENT_VERSION = "GB/T 2589-2020"

_GRADES = ((0.95, "A"), (0.90, "B"), (0.75, "C"))


@dataclass(frozen=True, slots=True)
class Period:
    """A month or twelve of them; local dates, half-open; open while data can still come."""

    kind: Literal["month", "rolling12"]
    start: date
    end: date
    is_open: bool = False

    @property
    def months(self) -> int:
        """Return how many months the period has."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month


@dataclass(frozen=True, slots=True)
class Estimate:
    """One KPI of one period before it becomes a figure; no point means that it has a reason."""

    kpi: str
    unit: str
    coverage: float
    inputs: Mapping[str, Any]
    point: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


Sums = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class DayFacts:
    """Facts added up by asset and local day: one matrix an asset, a row a day."""

    first_day: date
    columns: tuple[str, ...]
    of_asset: Mapping[int, npt.NDArray[np.float64]]

    def sums(self, asset_ids: Sequence[int], start: date, end: date) -> Sums:
        """Return each column added up over the days of [start, end), one element an asset."""
        first, last = (start - self.first_day).days, (end - self.first_day).days
        empty = np.zeros((0, len(self.columns)))
        found = np.array(
            [
                self.of_asset.get(asset_id, empty)[max(first, 0) : max(last, 0)].sum(axis=0)
                for asset_id in asset_ids
            ]
        ).reshape(len(asset_ids), len(self.columns))
        return dict(zip(self.columns, found.T, strict=True))


# The code of the asset that made a lot, and the number of its product.
Made = tuple[str | None, int | str | None]


@dataclass(frozen=True, slots=True)
class Inspected:
    """Finally inspected lots and their quantities, added up."""

    lots: int = 0
    total: float = 0.0
    scrap: float = 0.0
    rework: float = 0.0
    passed_first: float = 0.0
    # Units by which the dispositions of single lots miss their totals, either way.
    undisposed: float = 0.0

    def __add__(self, other: "Inspected") -> "Inspected":
        return Inspected(
            self.lots + other.lots,
            self.total + other.total,
            self.scrap + other.scrap,
            self.rework + other.rework,
            self.passed_first + other.passed_first,
            self.undisposed + other.undisposed,
        )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that was set aside: its kind and key, the local day of its time, and why."""

    kind: str
    key: str
    day: date
    reason: str


# How cold and how hot a time was: heating and cooling degree days [K·d].
DegreeDays = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Business:
    """The newest versions of a factory's records, ready to count."""

    # Order lines by the day on which they are due.
    order_lines: Mapping[date, Sequence[OrderLine]]
    # Finally inspected lots by the day of inspection.
    inspected: Mapping[date, Inspected]
    # Stock value by month-end day and category [yuan].
    stock_yuan: Mapping[date, Mapping[str, float]]
    # Cost of goods sold by first of month [yuan].
    cogs_yuan: Mapping[date, float]
    unreadable: Sequence[Unreadable] = ()
    # The same lots by day and by what made them, since unlike products do not add up.
    made: Mapping[date, Mapping[Made, Inspected]] = field(default_factory=dict)
    # People employed at the end of a month, by its first day.
    employees: Mapping[date, float] = field(default_factory=dict)
    projects: Sequence[Project] = ()
    # Value of the output by first of month [yuan], and the year of its constant prices.
    output_value: Mapping[date, tuple[float, int]] = field(default_factory=dict)
    # Invoices that state a measured heating value.
    bills: Sequence[Bill] = ()
    # Heating and cooling degree days by first of month [K·d].
    degree_days: Mapping[date, DegreeDays] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BaselineMonth:
    """Energy [tce], good output [standard hours] and weather of a month before the renovation."""

    start: date
    end: date
    tce: float
    standard_hours: float
    coverage: float
    degree_days: DegreeDays | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the figures of one factory are formed from.

    `planned_s` is the planned busy time of each asset by production day from `days.first_day` on,
    up to `until`, before which hours have ended; `down_s` is the time of stops filed beforehand.
    """

    plan: MonitoringPlan
    days: DayFacts
    planned_s: Mapping[int, npt.NDArray[np.float64]]
    until: datetime
    business: Business
    bridges: Bridges
    down_s: Mapping[int, npt.NDArray[np.float64]] = field(default_factory=dict)
    # The months before the renovation where `days` do not reach back to them, else None.
    baseline: Sequence[BaselineMonth] | None = None
    # The facts by production day, which ends with its last shift; None where that is at midnight.
    production: DayFacts | None = None

    @property
    def today(self) -> date:
        """Return the local day that `until` lies in."""
        return self.until.astimezone(ZoneInfo(self.plan.factory.timezone)).date()

    def sums(self, assets: Sequence[Asset], start: date, end: date) -> Sums:
        """Return the facts of some assets in [start, end) added up, one element an asset."""
        return self.days.sums([asset.asset_id for asset in assets], start, end)

    def produced(self, assets: Sequence[Asset], start: date, end: date) -> Sums:
        """Return the facts of some assets in the production days of [start, end) added up."""
        days = self.days if self.production is None else self.production
        return days.sums([asset.asset_id for asset in assets], start, end)

    def planned(self, assets: Sequence[Asset], start: date, end: date) -> npt.NDArray[np.float64]:
        """Return the planned busy seconds of each asset in the production days of [start, end)."""
        return self._daily(self.planned_s, assets, start, end)

    def down(self, assets: Sequence[Asset], start: date, end: date) -> npt.NDArray[np.float64]:
        """Return the seconds of stops filed beforehand, as `planned` does."""
        return self._daily(self.down_s, assets, start, end)

    def _daily(
        self,
        seconds: Mapping[int, npt.NDArray[np.float64]],
        assets: Sequence[Asset],
        start: date,
        end: date,
    ) -> npt.NDArray[np.float64]:
        first, last = ((day - self.days.first_day).days for day in (start, end))
        days = slice(max(first, 0), max(last, 0))
        nothing = np.zeros(0)
        return np.array([seconds.get(asset.asset_id, nothing)[days].sum() for asset in assets])

    def shift(self, assets: Sequence[Asset], period: Period, name: str) -> Shift:
        """Return how far bridged registers leave the sum of a period open at its edges.

        What was made counts by production day, energy by the clock.
        """
        zone = self.plan.factory.timezone
        days = period.start, period.end
        if name == "energy":
            edges = [to_us(local_midnight(day, zone)) for day in days]
        else:
            edges = [to_us(production_start(self.plan, day)) for day in days]
        return self.bridges.shift([asset.asset_id for asset in assets], (edges[0], edges[1]), name)

    def production_seconds(self, start: date, end: date) -> float:
        """Return the calendar seconds of the production days of [start, end), as far as come."""
        ends = min(production_start(self.plan, end), self.until)
        return max((ends - production_start(self.plan, start)).total_seconds(), 0.0)

    def seconds(self, start: date, end: date) -> float:
        """Return the calendar seconds of [start, end), as far as it has come."""
        zone = self.plan.factory.timezone
        begins = local_midnight(start, zone)
        ends = min(local_midnight(end, zone), self.until)
        return max((ends - begins).total_seconds(), 0.0)

    def link_coverage(self, start: date, end: date) -> float:
        """Return the share of time in which the least heard business system was heard of.

        Without any link tag nobody can tell whether records are missing: the share is 0.
        """
        systems = [asset for asset in self.plan.assets if asset.kind == "system"]
        seconds = self.seconds(start, end)
        if not systems or seconds == 0:
            return 0.0
        known = self.sums(systems, start, end)["known_s"]
        return min(float(known.min()) / seconds, 1.0)


def counts_good_only(plan: MonitoringPlan, asset: Asset) -> bool:
    """Tell whether a machine counts neither all units nor rejects: what it lost nobody knows."""
    has = {tag.role for tag in plan.tags if tag.asset_id == asset.asset_id}
    return not has & {"total_count", "reject_count"}


def grade(coverage: float) -> str:
    """Return A from 95 %, B from 90 %, C from 75 %, else D, which is unverifiable."""
    return next((name for least, name in _GRADES if coverage >= least - 1e-12), "D")


def refused(kpi: str, unit: str, coverage: float, reason: str, **inputs: Any) -> Estimate:
    """Return an estimate without a number."""
    return Estimate(kpi, unit, coverage, inputs, reason=reason)


def bounded(
    kpi: str, unit: str, coverage: float, bounds: tuple[float, float, float], **inputs: Any
) -> Estimate:
    """Return an estimate with (low, point, high), in order despite rounding."""
    low, point, high = bounds
    return Estimate(
        kpi, unit, coverage, inputs, point=point, low=min(low, point), high=max(high, point)
    )


def figure(factory_id: int, period: Period, estimate: Estimate, until: datetime) -> NewFigure:
    """Return the figure of an estimate; too little coverage takes its number away.

    That of an open period says up to when it goes.
    """
    coverage = min(max(estimate.coverage, 0.0), 1.0)
    point, low, high, reason = estimate.point, estimate.low, estimate.high, estimate.reason
    if grade(coverage) == "D" and point is not None:
        point = low = high = None
        reason = because("coverage", coverage=coverage)
    inputs = stored(dict(estimate.inputs)) | (
        {"until": until.isoformat()} if period.is_open else {}
    )
    reason = stored(reason)
    return NewFigure(
        factory_id=factory_id,
        kpi=estimate.kpi,
        period_kind=period.kind,
        period_start=period.start,
        period_end=period.end,
        unit=estimate.unit,
        point=point,
        low=low,
        high=high,
        coverage=coverage,
        grade=grade(coverage),
        reason=reason,
        method_version=METHOD_VERSION,
        coefficient_version=COEFFICIENT_VERSION,
        inputs=inputs,
        inputs_sha256=digest([inputs, point, low, high, coverage, reason]),
    )


def digest(parts: Any) -> bytes:
    """Return the hash that a figure carries of its inputs, numbers and reason."""
    # Twelve digits: sums of floats may differ in the last ones with the order of the hours.
    rounded = json.loads(json.dumps(parts), parse_float=lambda text: f"{float(text):.12g}")
    return hashlib.sha256(json.dumps(rounded, sort_keys=True).encode()).digest()


def day_edges_us(first_day: date, count: int, timezone: str) -> npt.NDArray[np.int64]:
    """Return the starts of `count` local days and the end of the last, in µs since 1970."""
    days = [first_day + timedelta(days=number) for number in range(count + 1)]
    return np.array([to_us(local_midnight(day, timezone)) for day in days], np.int64)
