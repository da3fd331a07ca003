"""Planned busy time of an asset: shifts, holidays and stops filed beforehand.

A shift that crosses midnight belongs to the day on which it starts, so a holiday removes it
whole, and at the end of a month all of it counts for that month. Stops filed late are not in the
plan and so remain losses (ISO 22400-2, PBT).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from store.registry import MonitoringPlan

OFF, PLANNED, DOWN = range(3)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A step function of time: from `at_us[i]` on, the kind is OFF, PLANNED or DOWN."""

    at_us: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]

    def cumulative(
        self, kind: int, at_us: npt.NDArray[np.int64], until: datetime
    ) -> npt.NDArray[np.float64]:
        """Return the seconds of one kind before each time, none being counted from `until` on."""
        edges = np.append(self.at_us, to_us(until))
        lasting = np.diff(edges) * (self.kind == kind) / 1e6
        before = np.concatenate([[0.0], np.cumsum(lasting)])
        return np.asarray(np.interp(at_us, edges, before), np.float64)


def to_us(at: datetime) -> int:
    """Return an aware time in microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(at_us: int) -> datetime:
    """Return the UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at_us)


def local_midnight(day: date, timezone: str) -> datetime:
    """Return the start of a local day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def production_start(plan: MonitoringPlan, day: date) -> datetime:
    """Return when a production day begins: at midnight, or as the day before's last shift ends.

    Within a month it is the whole hour before that, since facts have whole hours.
    """
    midnight = local_midnight(day, plan.factory.timezone)
    ends = [midnight]
    before = day - timedelta(days=1)
    if before not in plan.holidays:
        zone = ZoneInfo(plan.factory.timezone)
        for shift in plan.shifts:
            if shift.weekday == before.isoweekday():
                begins = datetime.combine(before, shift.starts, tzinfo=zone).astimezone(UTC)
                ends.append(begins + timedelta(seconds=shift.duration_s))
    found = max(ends)
    return found if day.day == 1 else found.replace(minute=0, second=0, microsecond=0)


def production_edges(plan: MonitoringPlan, first: date, days: int) -> list[datetime]:
    """Return when some production days in a row begin, and when the last of them ends."""
    return [production_start(plan, first + timedelta(days=number)) for number in range(days + 1)]


def production_time(plan: MonitoringPlan, at: datetime) -> datetime:
    """Return a time, or the last moment of the day before as long as its last shift goes on."""
    zone = plan.factory.timezone
    day = at.astimezone(ZoneInfo(zone)).date()
    is_over = at >= production_start(plan, day)
    return at if is_over else local_midnight(day, zone) - _MICROSECOND


def whole_hours(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the whole hours that hold [start, end)."""
    hour_us = 3_600_000_000
    first, last = to_us(start) // hour_us, -(-to_us(end) // hour_us)
    return from_us(first * hour_us), from_us(last * hour_us)


def asset_calendar(plan: MonitoringPlan, asset_id: int, start: datetime, end: datetime) -> Calendar:
    """Return the calendar of an asset, complete for [start, end)."""
    shifts = _shifts(plan, start, end)
    stops = [
        (to_us(stop.starts_at), to_us(stop.ends_at))
        for stop in plan.planned_stops
        if stop.asset_id in (None, asset_id)
    ]
    at_us, in_shift, in_stop = _coverage(shifts, stops, to_us(start), to_us(end))
    kind = np.where(in_shift, np.where(in_stop, DOWN, PLANNED), OFF)
    return Calendar(at_us, kind)


def _shifts(plan: MonitoringPlan, start: datetime, end: datetime) -> list[tuple[int, int]]:
    zone = ZoneInfo(plan.factory.timezone)
    # The shift of the day before may reach into the window.
    day = start.astimezone(zone).date() - timedelta(days=1)
    last = end.astimezone(zone).date()
    found = []
    while day <= last:
        if day not in plan.holidays:
            for shift in plan.shifts:
                if shift.weekday == day.isoweekday():
                    begins = to_us(datetime.combine(day, shift.starts, tzinfo=zone))
                    found.append((begins, begins + shift.duration_s * 1_000_000))
        day += timedelta(days=1)
    return found


def _coverage(
    shifts: list[tuple[int, int]], stops: list[tuple[int, int]], start_us: int, end_us: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    edges = sorted(
        {start_us, *_inside(shifts, start_us, end_us), *_inside(stops, start_us, end_us)}
    )
    at_us = np.array(edges, np.int64)
    return at_us, _in_spans(at_us, shifts), _in_spans(at_us, stops)


def _inside(spans: list[tuple[int, int]], start_us: int, end_us: int) -> list[int]:
    return [edge for span in spans for edge in span if start_us < edge < end_us]


def _in_spans(at_us: npt.NDArray[np.int64], spans: list[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    edges = np.array(spans, np.int64).reshape(-1, 2)
    return covered(at_us, edges[:, 0], edges[:, 1])


def covered(
    at_us: npt.NDArray[np.int64], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Tell of each time whether any of the half-open spans holds it; spans may overlap."""
    opened = np.searchsorted(np.sort(begins), at_us, side="right")
    closed = np.searchsorted(np.sort(ends), at_us, side="right")
    return opened > closed


def months(start: date, end: date) -> list[tuple[date, date]]:
    """Return the months of [start, end) as half-open pairs; start is a first of month."""
    firsts = [start]
    while firsts[-1] < end:
        firsts.append(add_months(firsts[-1], 1))
    return list(pairwise(firsts))


def add_months(first: date, count: int) -> date:
    """Return the first of the month that lies `count` months after a first of month."""
    number = first.year * 12 + first.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)
