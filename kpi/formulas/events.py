"""OEE of one machine from its raw events: states and cumulative count registers.

References
----------
[1] InfluxData Flux, package experimental/oee, worked example (OEE 0.936979).
[2] ISO 22400-2:2014, "OEE index".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kpi.errors import NotComputable
from kpi.formulas.checks import at_most
from kpi.formulas.counters import counter
from kpi.formulas.oee import oee
from kpi.formulas.states import UNKNOWN_NAME, state_time
from kpi.reasons import because

CountSample = tuple[float, float | None, float | None]


@dataclass(frozen=True)
class OeeEvents:
    """Time seen running [s] and ratios [1]; None where the events leave a part unknown."""

    running_s: float | None
    availability: float | None
    performance: float | None
    quality: float | None
    oee: float


def oee_events(
    window: tuple[float, float],
    planned_s: float,
    ideal_cycle_s: float,
    running_state: str,
    states: Iterable[tuple[float, str]],
    counts: Iterable[CountSample],
) -> OeeEvents:
    """OEE from state changes and from registers of total and bad units.

    States hold until the next change; the last one before the window is carried into it. The
    registers are read at the last sample at or before the window's start and at its end; resets
    add the new value. Where the state is unknown for some time, availability and performance are
    not known, since that time may or may not have been production; OEE does not depend on it.

    Parameters
    ----------
    window : [start, end) [s]
    planned_s : planned busy time [s]
    ideal_cycle_s : planned run time per unit [s/unit]
    running_state : the one state that counts as production
    states : (time [s], state)
    counts : (time [s], total register [unit], bad register [unit])

    Returns
    -------
    OeeEvents : running time [s], ratios [1]

    References: [1], [2].
    """
    changes = list(states)
    durations = state_time(changes, window)
    running_s = durations.get(running_state, 0.0) if changes else None
    known = durations[UNKNOWN_NAME] == 0
    samples = _inside(counts, window)
    total = counter([(t, total) for t, total, _ in samples]).increase
    bad = counter([(t, bad) for t, _, bad in samples]).increase
    at_most("bad units", bad, "total units", total)
    result = oee(planned_s, running_s if known else None, ideal_cycle_s, total, total - bad)
    return OeeEvents(running_s, result.availability, result.performance, result.quality, result.oee)


def _inside(counts: Iterable[CountSample], window: Sequence[float]) -> list[CountSample]:
    """Return the samples that bear on the window: the last at or before its start, to its end."""
    ordered = sorted(counts, key=lambda row: row[0])
    upto_end = [row for row in ordered if row[0] <= window[1]]
    carried = [row for row in upto_end if row[0] <= window[0]][-1:]
    if not upto_end:
        raise NotComputable(because("no_count"))
    return carried + [row for row in upto_end if row[0] > window[0]]
