"""Working time: which days have shifts, which are closed, and where planned stops lie."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from simulators import clock
from simulators.errors import ScenarioError
from simulators.model import Calendar, Stop
from simulators.noise import Floats, Integers


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A stop with its instants [µs]; asset is empty for the whole factory."""

    asset: str
    start_us: int
    end_us: int
    reason: str
    filed_us: int


@dataclass(frozen=True, slots=True)
class Windows:
    """Time available for work in each log day, in seconds after local midnight."""

    open_s: Floats
    close_s: Floats
    stopped: npt.NDArray[np.bool_]


class WorkCalendar:
    """The calendar of one factory around its renovation."""

    def __init__(self, calendar: Calendar, renovation: date, assets: tuple[str, ...]) -> None:
        self.shifts = calendar.shift
        self.weekdays = calendar.weekdays
        self.starts_s = clock.seconds_of_day(calendar.shift[0].starts)
        self.length_s = sum(shift.duration_s for shift in calendar.shift)
        if self.length_s > clock.DAY_S:
            raise ScenarioError("calendar.shift: the shifts of a day are longer than a day")
        self.closed = _closed_days(calendar, renovation.year)
        self.stops = tuple(self._stop(stop, renovation, assets) for stop in calendar.stop)

    def working(self, days: Integers) -> npt.NDArray[np.bool_]:
        """Return which local days have shifts."""
        # 1970-01-01 was a Thursday, ISO weekday 4.
        weekday = (days + 3) % 7 + 1
        return np.isin(weekday, self.weekdays) & ~np.isin(days, list(self.closed))

    def windows(self, asset: str, days: Integers) -> Windows:
        """Return an asset's time for work: shifts without the planned stops, filed or not."""
        working = self.working(days)
        open_s = np.full(len(days), float(self.starts_s))
        close_s = np.where(working, open_s + self.length_s, open_s)
        stopped = np.zeros(len(days), bool)
        for stop in self.stops:
            if stop.asset in ("", asset):
                offset = days * clock.DAY_US - clock.OFFSET_US
                begin = (stop.start_us - offset) / clock.SECOND_US
                end = (stop.end_us - offset) / clock.SECOND_US
                hit = working & (begin < close_s) & (end > open_s)
                open_s = np.where(hit, np.minimum(end, close_s), open_s)
                stopped |= hit
        return Windows(open_s, close_s, stopped)

    def shift_intervals(self, first_day: int, last_day: int) -> list[tuple[int, int]]:
        """Return start and end [µs] of every shift that starts on the days of [first, last)."""
        days = np.arange(first_day, last_day, dtype=np.int64)
        intervals = []
        for day in days[self.working(days)].tolist():
            for shift in self.shifts:
                start = (
                    clock.midnight_us(day) + clock.seconds_of_day(shift.starts) * clock.SECOND_US
                )
                intervals.append((start, start + shift.duration_s * clock.SECOND_US))
        return intervals

    def _stop(self, stop: Stop, renovation: date, assets: tuple[str, ...]) -> PlannedStop:
        if stop.asset and stop.asset not in assets:
            raise ScenarioError(f"calendar.stop: no equipment {stop.asset!r}")
        first = clock.add_months(renovation, stop.month).replace(day=stop.day)
        days = np.arange(clock.day_number(first), clock.day_number(first) + 20, dtype=np.int64)
        day = int(days[self.working(days)][0])
        # A stop begins with the first shift, so the time left for work stays in one piece.
        start = clock.midnight_us(day) + self.starts_s * clock.SECOND_US
        end = start + round(stop.hours * 3600) * clock.SECOND_US
        filed = start - round(stop.filed_days_before * clock.DAY_S) * clock.SECOND_US
        return PlannedStop(stop.asset, start, end, stop.reason, filed)


def _closed_days(calendar: Calendar, year: int) -> dict[int, str]:
    closed = {}
    for closure in calendar.closure:
        month, day = (int(part) for part in closure.first.split("-"))
        for each in range(year - 2, year + 4):
            first = clock.day_number(date(each, month, day))
            closed.update({first + step: closure.name for step in range(closure.days)})
    for new_year in calendar.spring_festival:
        eve = clock.day_number(date.fromisoformat(new_year)) - 1
        closed.update({eve + step: "春节" for step in range(calendar.spring_festival_days)})
    return closed
