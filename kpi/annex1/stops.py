"""Unplanned stops as the machine's own state shows them."""

from collections.abc import Iterator, Mapping

import numpy as np

from kpi.annex1.basis import Stop
from kpi.calendar import PLANNED, Calendar, from_us
from kpi.facts.basis import Ints, hold_us
from kpi.formulas.states import UNKNOWN, intervals
from store.canonical import Rows
from store.registry import Tag

LEAST_S = 300
_STOPPED, _OTHER = 1, 0
# A machine that says planned_down where nobody filed a stop has stopped.
_STOP_NAMES = ("stop", "planned_down")


def stops_of(
    code: str,
    tag: Tag,
    states: Mapping[int, str],
    rows: Rows,
    calendar: Calendar,
    window_us: tuple[int, int],
) -> Iterator[Stop]:
    """Yield the stops of five minutes or more that began in planned busy time; pure.

    A stop that goes on over a time without rows ends there: nobody knows when it did.
    """
    found = intervals(
        rows.ts_us,
        _codes(rows, states),
        start_us=window_us[0],
        end_us=window_us[1],
        max_hold_us=hold_us(tag),
    )
    if not len(found.state):
        return
    first = np.flatnonzero(np.diff(found.state, prepend=np.int64(-2)))
    ends = np.append(found.start_us[first[1:]], found.end_us[-1])
    begins, state = found.start_us[first], found.state[first]
    kind = calendar.kind[np.searchsorted(calendar.at_us, begins, side="right") - 1]
    wanted = (state == _STOPPED) & (kind == PLANNED) & (ends - begins >= LEAST_S * 1_000_000)
    for begin_us, end_us in zip(begins[wanted].tolist(), ends[wanted].tolist(), strict=True):
        yield Stop(code, from_us(begin_us), from_us(end_us))


def _codes(rows: Rows, states: Mapping[int, str]) -> Ints:
    """Return stopped, other or UNKNOWN; a bad row and a number off the list are unknown."""
    codes = np.full(len(rows.value), UNKNOWN, np.int64)
    for number, name in states.items():
        if name != "unknown":
            codes[rows.value == number] = _STOPPED if name in _STOP_NAMES else _OTHER
    codes[rows.status < 0] = UNKNOWN
    return codes
