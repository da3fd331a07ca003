"""Time facts: the hour split by calendar, planned busy time split by state."""

from collections.abc import Mapping

import numpy as np

from kpi.calendar import DOWN, OFF, PLANNED, Calendar
from kpi.facts.basis import HOUR_US, AssetPlan, Floats, Ints, Samples, Window
from kpi.formulas.states import UNKNOWN, Intervals, intervals

STATES = ("run", "setup", "stop", "idle", "planned_down")


def time_facts(
    plan: AssetPlan, samples: Mapping[str, Samples], calendar: Calendar, window: Window
) -> dict[str, Floats]:
    """Return seconds by calendar kind, by state inside planned time, and known at all."""
    states = _state_intervals(plan, samples, window)
    edges = np.arange(window.start_us, window.end_us, HOUR_US)
    at = np.unique(np.concatenate([edges, calendar.at_us, states.start_us]))
    at = at[(at >= window.start_us) & (at < window.end_us)]
    seconds = np.diff(np.append(at, window.end_us)) / 1e6
    hour = window.hour_of(at)
    kind = calendar.kind[np.searchsorted(calendar.at_us, at, side="right") - 1]
    state = states.state[np.searchsorted(states.start_us, at, side="right") - 1]
    found = {
        f"{name}_s": window.total(hour, seconds * (kind == code))
        for name, code in (("planned", PLANNED), ("planned_down", DOWN), ("off", OFF))
    }
    planned = seconds * (kind == PLANNED)
    for code, name in enumerate(STATES[:4]):
        # A stop that a machine calls planned but nobody filed is a stop.
        matches = (state == code) | ((name == "stop") & (state == STATES.index("planned_down")))
        found[f"{name}_s"] = window.total(hour, planned * matches)
    found["unknown_s"] = window.total(hour, planned * (state == UNKNOWN))
    found["known_s"] = window.total(hour, seconds * (state != UNKNOWN))
    return found


def _state_intervals(plan: AssetPlan, samples: Mapping[str, Samples], window: Window) -> Intervals:
    """Cut the window by state; an asset without states is only known or unknown."""
    if "state" in samples:
        role, codes = "state", _codes(samples["state"].value, plan.states)
    else:
        role = _heartbeat_role(samples)
        codes = np.where(np.isnan(samples[role].value), UNKNOWN, STATES.index("idle"))
    return intervals(
        samples[role].t_us,
        codes,
        start_us=window.start_us,
        end_us=window.end_us,
        max_hold_us=plan.hold_us(role),
    )


def _heartbeat_role(samples: Mapping[str, Samples]) -> str:
    return max(samples, key=lambda role: len(samples[role].t_us))


def _codes(raw: Floats, states: Mapping[int, str]) -> Ints:
    """Return state codes; a number that the plan does not list is unknown."""
    codes = np.full(len(raw), UNKNOWN, np.int64)
    for number, name in states.items():
        if name in STATES:
            codes[raw == number] = STATES.index(name)
    return codes
