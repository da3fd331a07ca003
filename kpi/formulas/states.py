"""Time in each state, weighted by time and never by rows.

A state holds from its sample to the next one, half-open [t_i, t_{i+1}), but no longer than the
maximum hold; after that nobody knows, and unknown time is a category of its own.

References
----------
[1] ISO 22400-2:2014, time elements of a work unit.
[2] TimescaleDB Toolkit, state_agg and interpolated_state: carry across a window start.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpi.errors import NotComputable
from kpi.formulas.checks import number, positive
from kpi.reasons import because

Int64s = npt.NDArray[np.int64]

UNKNOWN = -1
UNKNOWN_NAME = "UNKNOWN"
# MTConnect's UNAVAILABLE says that the agent does not know; it is never "stopped".
UNKNOWN_NAMES = frozenset({None, "", UNKNOWN_NAME, "UNAVAILABLE"})


@dataclass(frozen=True)
class Intervals:
    """Half-open intervals that fill the window without gap, in order of time."""

    start_us: Int64s
    end_us: Int64s
    state: Int64s


def intervals(
    t_us: Int64s,
    state: Int64s,
    *,
    start_us: int,
    end_us: int,
    max_hold_us: int | None = None,
    previous: tuple[int, int] | None = None,
) -> Intervals:
    """Cut a window into intervals of known state and UNKNOWN.

    The last sample before the window is carried into it, within its hold. Of several samples with
    one time the last one holds, the others last no time. Equal neighbours are not merged.

    Parameters
    ----------
    t_us : sample times [µs since 1970], ascending
    state : state code of each sample, UNKNOWN (-1) where the source does not know
    start_us, end_us : window [start, end) [µs]
    max_hold_us : longest time a sample speaks for [µs], None without limit
    previous : last sample before `t_us`, (time [µs], state)

    Returns
    -------
    Intervals : start, end [µs] and state code

    References: [1], [2].
    """
    if previous is not None:
        t_us = np.concatenate([np.array([previous[0]], dtype=np.int64), t_us])
        state = np.concatenate([np.array([previous[1]], dtype=np.int64), state])
    following = np.append(t_us[1:], max(end_us, int(t_us[-1]))) if len(t_us) else t_us
    held = following if max_hold_us is None else np.minimum(following, t_us + max_hold_us)
    before_first = int(t_us[0]) if len(t_us) else end_us
    starts = np.concatenate([np.array([start_us], dtype=np.int64), t_us, held])
    ends = np.concatenate([np.array([before_first], dtype=np.int64), held, following])
    codes = np.full(len(starts), UNKNOWN, dtype=np.int64)
    codes[1 : 1 + len(t_us)] = state
    starts, ends = np.clip(starts, start_us, end_us), np.clip(ends, start_us, end_us)
    lasting = np.flatnonzero(ends > starts)
    order = lasting[np.argsort(starts[lasting], kind="stable")]
    return Intervals(starts[order], ends[order], codes[order])


def state_time(
    states: Iterable[Sequence[object]],
    window: Sequence[float],
    max_hold_s: float | None = None,
    previous: Sequence[object] | None = None,
) -> dict[str, float]:
    """Seconds in each state inside a window; they sum to the window.

    Samples are put in order of time. Without samples the whole window is UNKNOWN. Every state that
    was named appears, with 0 where it did not last inside the window.

    Parameters
    ----------
    states : [time [s], state name]; None and UNAVAILABLE count as UNKNOWN
    window : [start, end) [s]
    max_hold_s : longest time a sample speaks for [s], None without limit
    previous : last sample before the window [time [s], state name]

    Returns
    -------
    dict : state name → duration [s], UNKNOWN always included

    References: [1], [2].
    """
    start_us, end_us = (_microseconds("window", edge) for edge in window)
    if end_us <= start_us:
        raise NotComputable(because("window_empty"))
    hold_us = None if max_hold_s is None else _microseconds("hold", positive("hold", max_hold_s))
    rows = [*([previous] if previous is not None else []), *states]
    timed = sorted(((_microseconds("time", r[0]), _name(r[1])) for r in rows), key=lambda r: r[0])
    names = [UNKNOWN_NAME, *dict.fromkeys(n for _, n in timed if n != UNKNOWN_NAME)]
    found = intervals(
        np.array([t for t, _ in timed], dtype=np.int64),
        np.array([names.index(n) - 1 for _, n in timed], dtype=np.int64),
        start_us=start_us,
        end_us=end_us,
        max_hold_us=hold_us,
    )
    seconds = np.zeros(len(names))
    np.add.at(seconds, found.state + 1, (found.end_us - found.start_us) / 1e6)
    return {name: float(duration) for name, duration in zip(names, seconds, strict=True)}


def _microseconds(name: str, seconds: object) -> int:
    return round(number(name, seconds) * 1e6)


def _name(state: object) -> str:
    return UNKNOWN_NAME if state in UNKNOWN_NAMES else str(state)
