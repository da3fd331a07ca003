"""Store on change, with a heartbeat, so that unchanged, bad and silent look different.

A heartbeat row carries the time of a reading that was really made, never a fresh time on an
old value. Polled sources offer each reading. A subscription says nothing while nothing changes,
and its silence alone proves nothing, so the OPC UA adapter reads a quiet node when its heartbeat
is due and offers that reading. A message source that falls silent stays silent.

The rule, row by row in the order of arrival: a row older than the newest that passed for its tag
passes and changes nothing, since it is a late arrival, or a server that sends its current value
again after a reconnect, which the store absorbs. Of the others one passes when value or status
differ from the newest, or when the heartbeat has run out since then; it is the newest from then on.
A tag may have a deadband: its value then differs when it is further than that from the newest.
"""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from collectors.columns import Columns

T = TypeVar("T", bound=np.generic)
Mask = npt.NDArray[np.bool_]


class ChangeFilter:
    """Knows the newest row that passed for each tag of one source."""

    def __init__(self, heartbeat_s: float, deadbands: Mapping[int, float] | None = None) -> None:
        self._heartbeat_us = int(heartbeat_s * 1_000_000)
        self._seen: Mask = np.zeros(0, np.bool_)
        self._ts_us = np.zeros(0, np.int64)
        self._value = np.zeros(0, np.float64)
        self._status = np.zeros(0, np.int32)
        self._deadband = np.zeros(0, np.float64)
        for tag, width in (deadbands or {}).items():
            self._make_room(tag + 1)
            self._deadband[tag] = width

    def forget_later(self, tags: npt.NDArray[np.int32], than_us: int) -> None:
        """Forget what lies later than a time: no row after it is late, and the next one passes."""
        known = tags[tags < len(self._seen)]
        self._seen[known[self._ts_us[known] > than_us]] = False

    def passes(self, rows: Columns) -> Mask:
        """Tell which rows are to be stored, and remember the newest of each tag."""
        if len(rows) == 0:
            return np.zeros(0, np.bool_)
        self._make_room(len(rows.table))
        # By tag, and within a tag in the order of arrival.
        order = np.argsort(rows.index, kind="stable")
        passing = self._judge(rows.take(order))
        mask = np.empty(len(rows), np.bool_)
        mask[order] = passing
        return mask

    def _judge(self, rows: Columns) -> Mask:
        """Judge rows in the order of their tags.

        A row is compared with the row before it, which for the first of a tag is the newest that
        passed. That is the same as comparing with the newest as long as a tag's times do not
        fall, no heartbeat runs out within the block, and the tag has no deadband; the few tags for
        which this does not hold, and that have more than one row, are judged row by row.
        """
        count = len(rows)
        place = np.arange(count)
        begins = np.ones(count, np.bool_)
        begins[1:] = rows.index[1:] != rows.index[:-1]
        starts = np.flatnonzero(begins)
        before_us = _shifted(rows.ts_us, starts, self._ts_us[rows.index[starts]])
        same = self._is_same(rows, starts)
        late = rows.ts_us < before_us
        late[starts] &= self._seen[rows.index[starts]]
        # Where the value began that a row still has: at the last change, or before the block.
        origin = np.maximum.accumulate(np.where(begins | ~same, place, 0))
        since_us = np.where(same[origin], before_us[origin], rows.ts_us[origin])
        due = same & (rows.ts_us - since_us >= self._heartbeat_us)
        passing: Mask = ~same | late | due
        odd = np.logical_or.reduceat(late | due, starts) | (self._deadband[rows.index[starts]] > 0)
        ends = np.append(starts[1:], count)
        odd &= ends - starts > 1
        self._remember(rows, passing & ~late, starts, ~odd)
        for start, end in zip(starts[odd].tolist(), ends[odd].tolist(), strict=True):
            passing[start:end] = self._one_by_one(rows, start, end)
        return passing

    def _is_same(self, rows: Columns, starts: npt.NDArray[np.intp]) -> Mask:
        tags = rows.index[starts]
        value = _shifted(rows.value, starts, self._value[tags])
        code = _shifted(rows.status, starts, self._status[tags])
        width = self._deadband[rows.index]
        same: Mask = (rows.value == value) | (np.abs(rows.value - value) <= width)
        same |= np.isnan(rows.value) & np.isnan(value)
        same &= rows.status == code
        same[starts] &= self._seen[tags]
        return same

    def _remember(
        self, rows: Columns, renews: Mask, starts: npt.NDArray[np.intp], wanted: Mask
    ) -> None:
        last = np.maximum.reduceat(np.where(renews, np.arange(len(rows)), -1), starts)
        newest = last[wanted & (last >= 0)]
        tags = rows.index[newest]
        self._seen[tags] = True
        self._ts_us[tags] = rows.ts_us[newest]
        self._value[tags] = rows.value[newest]
        self._status[tags] = rows.status[newest]

    def _one_by_one(self, rows: Columns, start: int, end: int) -> list[bool]:
        tag = int(rows.index[start])
        seen, newest_us = bool(self._seen[tag]), int(self._ts_us[tag])
        newest: tuple[float | None, int] = _key(self._value[tag].item(), int(self._status[tag]))
        width = float(self._deadband[tag])
        passing = []
        columns = (rows.ts_us, rows.value, rows.status)
        for ts_us, value, code in zip(*(c[start:end].tolist() for c in columns), strict=True):
            offered = _key(value, code)
            is_late = seen and ts_us < newest_us
            is_due = ts_us - newest_us >= self._heartbeat_us
            passes = not seen or is_late or is_due or not _is_near(offered, newest, width)
            if passes and not is_late:
                seen, newest_us, newest = True, ts_us, offered
            passing.append(passes)
        self._seen[tag], self._ts_us[tag], self._status[tag] = seen, newest_us, newest[1]
        self._value[tag] = np.nan if newest[0] is None else newest[0]
        return passing

    def _make_room(self, tags: int) -> None:
        more = tags - len(self._seen)
        if more > 0:
            self._seen = np.append(self._seen, np.zeros(more, np.bool_))
            self._ts_us = np.append(self._ts_us, np.zeros(more, np.int64))
            self._value = np.append(self._value, np.zeros(more, np.float64))
            self._status = np.append(self._status, np.zeros(more, np.int32))
            self._deadband = np.append(self._deadband, np.zeros(more, np.float64))


def _shifted(
    column: npt.NDArray[T], starts: npt.NDArray[np.intp], firsts: npt.NDArray[T]
) -> npt.NDArray[T]:
    """Return for each row what the row before it has, and for those that start a tag, firsts."""
    before = np.empty_like(column)
    before[1:] = column[:-1]
    before[starts] = firsts
    return before


def _is_near(
    offered: tuple[float | None, int], newest: tuple[float | None, int], width: float
) -> bool:
    if offered[0] is None or newest[0] is None or offered == newest:
        return offered == newest
    return offered[1] == newest[1] and abs(offered[0] - newest[0]) <= width


def _key(value: float, code: int) -> tuple[float | None, int]:
    # NaN differs from itself; None does not.
    return (None if value != value else value), code
