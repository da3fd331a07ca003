"""Increase of cumulative registers: part counters and energy meters.

A drop is a reset and the new value is added, which is a lower bound of the true increase. It is a
rollover only where the modulus is known and the increase that follows from it is physically
possible. Nothing is ever extrapolated to the edges of a window: for the samples published in
Prometheus discussion 11466 the increase is 68 915 200, not the extrapolated 86 144 000.

References
----------
[1] Prometheus, functions rate() and increase(): reset handling; discussion 11466.
[2] TimescaleDB Toolkit, counter_agg: delta against extrapolated_delta, num_resets.
[3] DL/T 645-2007: energy registers XXXXXX.XX kWh, hence modulus 1 000 000 kWh.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpi.errors import NotComputable
from kpi.formulas.checks import ROUNDING, non_negative, number, positive
from kpi.reasons import because

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
Int8s = npt.NDArray[np.int8]

NONE, RESET, ROLLOVER, SPIKE, LEVEL_SHIFT = range(5)
EVENT_NAMES = {RESET: "reset", ROLLOVER: "rollover", LEVEL_SHIFT: "spike"}

# This many implausible samples in a row that agree with each other are no spike but a new level,
# as after a meter was exchanged without a record.
LEVEL_SHIFT_SAMPLES = 3


@dataclass(frozen=True)
class Increments:
    """Increase per interval between consecutive kept samples, as parallel arrays.

    `event` is NONE, RESET (the increase is a lower bound), ROLLOVER, SPIKE (the interval bridges
    excluded samples, impossible or out of reach) or LEVEL_SHIFT (the register jumped for good; the
    jump is not counted).
    `excluded_us` are the times of the samples that were kept out.
    """

    start_us: Int64s
    end_us: Int64s
    increase: Float64s
    event: Int8s
    excluded_us: Int64s


@dataclass(frozen=True)
class CounterIncrease:
    """Increase of a register [its unit] and the events on the way, in order of time."""

    increase: float
    events: tuple[str, ...]


@dataclass(frozen=True)
class _Register:
    """Samples of one register and what is physically possible for it."""

    t_us: Int64s
    value: Float64s
    modulus: float | None
    max_rate_per_s: float | None
    step: float = 0.0

    def limit(self, i: int, j: int) -> float:
        """Return the largest increase that is possible from sample i to sample j."""
        if self.max_rate_per_s is None:
            return float("inf")
        grown = self.max_rate_per_s * float(self.t_us[j] - self.t_us[i]) / 1e6
        return grown * (1 + ROUNDING) + self.step

    def advance(self, i: int, j: int) -> tuple[float, int] | None:
        """Return increase and event from kept sample i to sample j, None if j is implausible."""
        limit = self.limit(i, j)
        step = float(self.value[j] - self.value[i])
        if step >= 0:
            return (step, NONE) if step <= limit else None
        if self._is_dropout(i, j):
            return None
        if self.modulus is not None and self.max_rate_per_s is not None:
            rolled = step + self.modulus
            if rolled <= limit:
                return rolled, ROLLOVER
        new = float(self.value[j])
        return (new, RESET) if new <= limit else None

    def _is_dropout(self, i: int, j: int) -> bool:
        """Tell whether the register goes on from i right after j, and could not do so from j."""
        after = j + 1
        if self.max_rate_per_s is None or after >= len(self.value):
            return False
        from_kept = float(self.value[after] - self.value[i])
        from_dropped = float(self.value[after] - self.value[j])
        return 0 <= from_kept <= self.limit(i, after) and from_dropped > self.limit(j, after)


def increments(
    t_us: Int64s,
    value: Float64s,
    *,
    modulus: float | None = None,
    max_rate_per_s: float | None = None,
    step: float = 0.0,
) -> Increments:
    """Increase of a register over each interval between consecutive kept samples.

    A sample is kept out where its value is impossible (negative, not finite, not below the
    modulus) or where reaching it would exceed the maximum rate, whether upwards or by a reset;
    counting then goes on from the last kept sample. Without a maximum rate no spike can be told
    and every drop is a reset. More than one turn of the register between two samples is not seen.

    Parameters
    ----------
    t_us : sample times [µs since 1970], ascending and unique
    value : register [its unit]
    modulus : first value that the register cannot show [its unit]
    max_rate_per_s : largest physical rate [unit/s]
    step : least step of the register [its unit]; by one step it may run ahead of that rate, since
        a whole step shows at once, however short the time between two samples

    Returns
    -------
    Increments : one element per interval, half-open [start, end)

    References: [1], [2], [3].
    """
    possible = np.isfinite(value) & (value >= 0)
    if modulus is not None:
        possible &= value < modulus
    register = _Register(t_us[possible], value[possible], modulus, max_rate_per_s, step)
    excluded, special = _resolve(register, _suspects(register))
    keep = np.ones(len(register.t_us), dtype=np.bool_)
    keep[excluded] = False
    kept = np.flatnonzero(keep)
    increase = np.diff(register.value[kept])
    event = np.zeros(len(increase), dtype=np.int8)
    position = np.searchsorted(kept[1:], np.fromiter(special, dtype=np.int64, count=len(special)))
    increase[position] = [found for found, _ in special.values()]
    event[position] = [code for _, code in special.values()]
    start_us, end_us = register.t_us[kept[:-1]], register.t_us[kept[1:]]
    excluded_us = np.sort(np.concatenate([t_us[~possible], register.t_us[~keep]]))
    over = _intervals_over(excluded_us, start_us, end_us)
    event[over] = np.where(event[over] == NONE, SPIKE, event[over])
    return Increments(start_us, end_us, increase, event, excluded_us)


def _intervals_over(excluded_us: Int64s, start_us: Int64s, end_us: Int64s) -> Int64s:
    """Return the indices of the intervals that bridge an excluded sample, each once."""
    if len(end_us) == 0:
        return np.empty(0, dtype=np.int64)
    at = np.unique(np.searchsorted(end_us, excluded_us, side="left"))
    at = at[at < len(end_us)]
    first = np.searchsorted(excluded_us, start_us[at], side="right")
    inside = first < np.searchsorted(excluded_us, end_us[at], side="left")
    return at[inside]


def _suspects(register: _Register) -> Int64s:
    """Return the indices of samples that drop or rise faster than the maximum rate."""
    step = np.diff(register.value)
    suspect = step < 0
    if register.max_rate_per_s is not None:
        allowed = register.max_rate_per_s * np.diff(register.t_us) / 1e6
        suspect |= step > allowed * (1 + ROUNDING) + register.step
    return np.flatnonzero(suspect) + 1


def _resolve(
    register: _Register, suspects: Int64s
) -> tuple[list[int], dict[int, tuple[float, int]]]:
    """Decide the suspect samples: which are excluded, and what the intervals ending at others mean.

    Only suspects and the samples after an excluded one are visited.
    """
    excluded: list[int] = []
    special: dict[int, tuple[float, int]] = {}
    suspect = np.zeros(len(register.value), dtype=np.bool_)
    suspect[suspects] = True
    count, k = len(register.value), 0
    while k < len(suspects):
        j = int(suspects[k])
        kept = j - 1
        while j < count:
            found = register.advance(kept, j)
            if found is not None:
                bridges = found[1] == NONE and j - kept > 1
                special[j] = (found[0], SPIKE) if bridges else found
                break
            excluded.append(j)
            first = j - LEVEL_SHIFT_SAMPLES + 1
            if first > kept and not suspect[first + 1 : j + 1].any():
                del excluded[-LEVEL_SHIFT_SAMPLES:]
                special[first] = (0.0, LEVEL_SHIFT)
                break
            j += 1
        k = int(np.searchsorted(suspects, j, side="right"))
    return excluded, special


def counter(
    samples: Iterable[Sequence[object]],
    modulus: float | None = None,
    max_rate: float | None = None,
) -> CounterIncrease:
    """Increase of a register over its samples, and the events seen on the way.

    Samples are put in order of time; of several with one time the first counts, as in the store.
    Samples without a value (bad quality) are passed over. A single sample has no increase.

    Parameters
    ----------
    samples : [time [s], register [its unit]]
    modulus : first value that the register cannot show [its unit]
    max_rate : largest physical rate [unit/s]; without it neither rollover nor spike can be told

    Returns
    -------
    CounterIncrease : increase [unit], events of "reset", "rollover", "spike"

    References: [1], [2], [3].
    """
    if modulus is not None:
        modulus = positive("modulus", modulus)
    if max_rate is not None:
        max_rate = positive("maximum rate", max_rate)
    rows = [
        (round(number("sample time", row[0]) * 1e6), number("register", row[1]))
        for row in samples
        if row[1] is not None
    ]
    t_us, first = np.unique(np.array([t for t, _ in rows], dtype=np.int64), return_index=True)
    value = np.array([v for _, v in rows], dtype=np.float64)[first]
    if len(t_us) < 2:
        raise NotComputable(because("too_few_samples"))
    found = increments(t_us, value, modulus=modulus, max_rate_per_s=max_rate)
    return CounterIncrease(increase=float(found.increase.sum()), events=_event_names(found))


def _event_names(found: Increments) -> tuple[str, ...]:
    named = [
        (int(t), EVENT_NAMES[int(code)])
        for t, code in zip(found.end_us, found.event, strict=True)
        if int(code) in EVENT_NAMES
    ]
    named += [(int(t), "spike") for t in found.excluded_us]
    return tuple(name for _, name in sorted(named))


@dataclass(frozen=True)
class MeterSegment:
    """Readings of one meter over one validity interval of its multiplier (CT × PT)."""

    first: float
    last: float
    ratio: float


def meter(segments: Iterable[MeterSegment]) -> float:
    """Primary quantity of a metering point through meter exchanges and changed multipliers.

    Each segment carries the multiplier that was valid then; today's is never applied to the past.
    A segment whose last reading is below its first is refused: an exchange or a rollover must be
    recorded as a segment of its own.

    Parameters
    ----------
    segments : first and last reading [register unit], ratio [1], of one meter and its successors

    Returns
    -------
    float : Σ (last - first) · ratio [primary unit]

    References: GB 17167 (records of meter changes).
    """
    rows = list(segments)
    if not rows:
        raise NotComputable(because("no_readings"))
    return sum(_segment_quantity(row) for row in rows)


def _segment_quantity(row: MeterSegment) -> float:
    first, last = non_negative("first reading", row.first), non_negative("last reading", row.last)
    if last < first:
        raise NotComputable(because("reading_fell", first=first, last=last))
    return (last - first) * positive("multiplier", row.ratio)
