"""What the plausibility rules share: the case that they look at, and what they measure in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from math import isfinite
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from kpi.calendar import from_us, local_midnight, to_us
from kpi.errors import KpiError
from kpi.facts.basis import HOUR_US, Columns, Floats, Ints, Samples, hold_us
from kpi.figures.basis import day_edges_us
from store.findings import Delivered, Edit, Limits
from store.records import StoredRecord
from store.registry import Asset, MonitoringPlan, Tag

Severity = Literal["fail", "warn", "review", "pass", "not_applicable"]
# Where to look: a span of time, a record or a batch, by the name of what it is.
Shown = Mapping[str, str]

MINUTE_US = 60_000_000
QUARTER_US = 15 * MINUTE_US
DAY_US = 24 * HOUR_US
NO_LIMITS = Limits()


class NotApplicable(KpiError):
    """A rule cannot say anything of this case; the code names the reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Measured:
    """What a rule measured of one subject, with what shows it.

    A severity is given only where the rule decides by more than its limits.
    """

    subject: str
    value: float
    asset_id: int | None = None
    tag_id: int | None = None
    shown: Sequence[Shown] = ()
    severity: Severity | None = None


@dataclass(frozen=True)
class Before:
    """The baseline of a factory: planned and planned-down seconds, and which assets were heard."""

    planned_s: float = 0.0
    planned_down_s: float = 0.0
    asset_ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Case:
    """One factory and month [start, end), as far as its hours have ended.

    `samples` are rows by tag; `hours` the hour facts by asset, as columns; `records` the newest
    versions by kind.
    """

    plan: MonitoringPlan
    start_us: int
    end_us: int
    samples: Mapping[int, Samples] = field(default_factory=dict)
    hours: Mapping[int, Columns] = field(default_factory=dict)
    batches: Sequence[Delivered] = ()
    records: Mapping[str, Sequence[StoredRecord]] = field(default_factory=dict)
    edits: Sequence[Edit] = ()
    limits: Mapping[int, Limits] = field(default_factory=dict)
    bills: Mapping[tuple[str, str], float] = field(default_factory=dict)
    before: Before | None = None

    @property
    def zone(self) -> ZoneInfo:
        """Return the factory's time zone."""
        return ZoneInfo(self.plan.factory.timezone)

    @property
    def first_day(self) -> date:
        """Return the local day on which the case begins."""
        return from_us(self.start_us).astimezone(self.zone).date()

    @cached_property
    def day_edges(self) -> Ints:
        """Return the starts of the whole local days of the case and the end of the last."""
        count = max((self.end_us - self.start_us) // DAY_US + 2, 1)
        begin = self.first_day
        edges = day_edges_us(begin, int(count), self.plan.factory.timezone)
        return edges[(edges >= self.start_us) & (edges <= self.end_us)]

    @property
    def day_count(self) -> int:
        """Return how many whole local days the case has."""
        return max(len(self.day_edges) - 1, 0)

    def limits_of(self, asset_id: int) -> Limits:
        """Return what the plan says of an asset's nameplate; each value None where it is silent."""
        return self.limits.get(asset_id, NO_LIMITS)

    def asset(self, asset_id: int) -> Asset:
        """Return an asset of the plan."""
        return next(asset for asset in self.plan.assets if asset.asset_id == asset_id)

    def tags(self, *roles: str) -> Iterator[tuple[Tag, Samples]]:
        """Yield the tags of some roles that have rows."""
        for tag in self.plan.tags:
            found = self.samples.get(tag.tag_id)
            if tag.role in roles and found is not None and len(found.t_us):
                yield tag, found

    def tag_of(self, asset_id: int, role: str) -> tuple[Tag, Samples] | None:
        """Return an asset's tag of a role with its rows, None without any."""
        return next((pair for pair in self.tags(role) if pair[0].asset_id == asset_id), None)

    def by_day(self, asset_id: int, name: str) -> Floats:
        """Return a column of an asset's facts added up by whole local day; nothing counts as 0."""
        facts, edges = self.hours[asset_id], self.day_edges
        day = np.searchsorted(edges, facts["hour_us"], side="right") - 1
        inside = (day >= 0) & (day < self.day_count)
        weights = np.nan_to_num(facts[name][inside])
        return np.asarray(np.bincount(day[inside], weights, max(self.day_count, 1)), np.float64)

    def total(self, asset_id: int, name: str) -> float:
        """Return a column of an asset's facts added up."""
        return float(np.nansum(self.hours[asset_id][name])) if asset_id in self.hours else 0.0

    def day_span(self, number: int) -> Shown:
        """Return the span of a whole local day of the case."""
        return span(int(self.day_edges[number]), int(self.day_edges[number + 1]))


def span(start_us: int, end_us: int) -> Shown:
    """Return a half-open span of time as what shows a finding."""
    return {"from": _iso(from_us(start_us)), "to": _iso(from_us(end_us))}


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def spans(start_us: Ints, end_us: Ints) -> list[Shown]:
    """Return spans of time; those that touch become one."""
    found: list[tuple[int, int]] = []
    for begin, end in zip(start_us.tolist(), end_us.tolist(), strict=True):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return [span(begin, end) for begin, end in found]


def hour_spans(hour_us: Ints) -> list[Shown]:
    """Return hours as spans."""
    return spans(hour_us, hour_us + HOUR_US)


def of_record(kind: str, key: str) -> Shown:
    """Return a business record as what shows a finding."""
    return {"record": kind, "key": key}


def number_in(body: Mapping[str, Any], name: str) -> float | None:
    """Return a number of a record, given as such or as text; None where there is no usable one."""
    given = body.get(name)
    try:
        found = float(given) if isinstance(given, str | int | float) else None
    except (ValueError, OverflowError):
        return None
    return found if found is not None and isfinite(found) else None


def of_batch(batch: Delivered) -> Shown:
    """Return a batch as what shows a finding."""
    return {"gateway": batch.gateway, "batch": str(batch.seq)}


def grid(case: Case, step_us: int) -> Ints:
    """Return times a step apart over a case."""
    return np.arange(case.start_us, case.end_us, step_us)


def held(tag: Tag, samples: Samples, at_us: Ints) -> Floats:
    """Return a tag's value at some times in primary units, NaN where nothing speaks for them."""
    row = np.searchsorted(samples.t_us, at_us, side="right") - 1
    known = (row >= 0) & (at_us - samples.t_us[row] < hold_us(tag))
    return np.where(known, samples.value[row] * tag.ratio, np.nan)


def states_at(case: Case, tag: Tag, samples: Samples, at_us: Ints) -> npt.NDArray[np.str_]:
    """Return the name of a state tag's state at some times, "unknown" where nobody knows."""
    names = case.plan.state_maps.get(tag.state_map or "", {})
    raw = held(tag, samples, at_us)
    found = np.full(len(at_us), "unknown", dtype="U16")
    for number, name in names.items():
        found[raw == number] = name
    return found


def local_day_us(case: Case, day: date) -> int:
    """Return the start of a local day."""
    return to_us(local_midnight(day, case.plan.factory.timezone))
