"""Failures of a machine from its state intervals, cut by the calendar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from kpi.calendar import PLANNED, Calendar, from_us
from kpi.facts.basis import AssetPlan, Floats, Ints, Window, hold_us, samples_of
from kpi.facts.times import STATES, state_codes
from kpi.formulas.reliability import MINOR_STOPPAGE_S, Reliability, reliability
from kpi.formulas.states import UNKNOWN, intervals
from kpi.reasons import because
from store.canonical import Rows

_LEAST_KNOWN = 0.75
# A stop that a machine calls planned but nobody filed is a stop, as among the facts.
_STOPPED = (STATES.index("stop"), STATES.index("planned_down"))
_RUNNING = STATES.index("run")


@dataclass(frozen=True, slots=True)
class Watched:
    """What the states of one machine show in its planned busy time [s]; `known` is a share."""

    planned_s: float
    known: float
    run_s: float
    failures: int
    restored_s: tuple[float, ...]


def watched(plan: AssetPlan, rows: Rows, calendar: Calendar, window: Window) -> Watched | None:
    """Return the failures of a machine, None where it has no tag for its state.

    A failure is an unbroken stop of at least five minutes of planned busy time; the night between
    two shifts neither ends it nor lengthens it. One that the window or unknown time cuts off is
    counted, but was not seen whole.
    """
    tag = plan.tag("state")
    if tag is None:
        return None
    samples = samples_of(rows, tag.tag_id)
    found = intervals(
        samples.t_us,
        state_codes(samples.value, plan.states),
        start_us=window.start_us,
        end_us=window.end_us,
        max_hold_us=hold_us(tag),
    )
    state = np.where(np.isin(found.state, _STOPPED), _STOPPED[0], found.state)
    edges = np.append(found.start_us, window.end_us)
    planned: Floats = np.diff(calendar.cumulative(PLANNED, edges, from_us(window.end_us)))
    inside = planned > 0
    return _counted(state[inside], planned[inside])


def _counted(state: Ints, planned: Floats) -> Watched:
    """Count over stretches of planned time alone, in order; equal neighbours are one."""
    if len(state) == 0:
        return Watched(0.0, 0.0, 0.0, 0, ())
    begins = np.flatnonzero(np.append(True, state[1:] != state[:-1]))
    state, planned = state[begins], np.add.reduceat(planned, begins)
    failed = (state == _STOPPED[0]) & (planned >= MINOR_STOPPAGE_S)
    known = state != UNKNOWN
    # Seen whole is what lies between two known states.
    whole = failed & np.append(False, known[:-1]) & np.append(known[1:], False)
    total_s = float(planned.sum())
    return Watched(
        planned_s=total_s,
        known=float(planned[known].sum()) / total_s,
        run_s=float(planned[state == _RUNNING].sum()),
        failures=int(failed.sum()),
        restored_s=tuple(planned[whole].tolist()),
    )


def together(machines: Sequence[Watched | None]) -> Reliability:
    """Return MTBF and MTTR of one machine or of several, by sums; or the reason why not."""
    seen = [each for each in machines if each is not None]
    if not seen or len(seen) < len(machines):
        return _unknown(because("machine_without_state"))
    planned_s = sum(each.planned_s for each in seen)
    if planned_s <= 0:
        return _unknown(because("nothing_planned"))
    known = sum(each.known * each.planned_s for each in seen) / planned_s
    if known < _LEAST_KNOWN:
        return replace(
            _unknown(because("state_unknown", known=known)),
            run_s=sum(each.run_s for each in seen),
        )
    return reliability(
        run_s=sum(each.run_s for each in seen),
        failures=sum(each.failures for each in seen),
        restored_s=tuple(chain.from_iterable(each.restored_s for each in seen)),
    )


def _unknown(reason: str) -> Reliability:
    return Reliability(0, 0.0, None, None, reason, reason)
