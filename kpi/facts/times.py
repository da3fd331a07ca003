"""Time facts: the hour split by calendar, planned busy time split by state, time heard of.

A state that is held over a row that was due and did not come is doubtful: whatever happened in
between may have been lost with that row. It stays in its state, and its seconds are told apart.
"""

from collections.abc import Mapping

import numpy as np

from kpi.calendar import DOWN, OFF, PLANNED, Calendar, covered
from kpi.facts.basis import Floats, Ints, Readings, Samples, Window, due_us, hold_us
from kpi.formulas.states import UNKNOWN, intervals
from store.registry import Tag

STATES = ("run", "setup", "stop", "idle", "planned_down")


def time_facts(readings: Readings, calendar: Calendar, window: Window) -> dict[str, Floats]:
    """Return seconds by calendar kind, by state inside planned time, and heard of at all.

    An asset without a state tag is heard of, but nobody knows its state. Of the seconds in a
    state, `run_doubt_s` may not have been run, and `rest_doubt_s` may have been.
    """
    changed_us, states = _states(readings, window)
    begins, ends = _heard(readings)
    doubts = _doubtful(readings)
    at = window.cuts(calendar.at_us, changed_us, begins, ends, *doubts)
    seconds = np.diff(np.append(at, window.end_us)) / 1e6
    hour = window.hour_of(at)
    kind = calendar.kind[np.searchsorted(calendar.at_us, at, side="right") - 1]
    state = states[np.searchsorted(changed_us, at, side="right") - 1]
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
    doubted = planned * covered(at, *doubts)
    run = state == STATES.index("run")
    found["run_doubt_s"] = window.total(hour, doubted * run)
    found["rest_doubt_s"] = window.total(hour, doubted * (~run & (state != UNKNOWN)))
    found["known_s"] = window.total(hour, seconds * covered(at, begins, ends))
    return found


def _states(readings: Readings, window: Window) -> tuple[Ints, Ints]:
    """Return the state as a step function: the times of the steps and the codes from there on."""
    tag = readings.plan.tag("state")
    if tag is None:
        return np.array([window.start_us]), np.array([UNKNOWN])
    samples = readings.samples[tag.tag_id]
    found = intervals(
        samples.t_us,
        state_codes(samples.value, readings.plan.states),
        start_us=window.start_us,
        end_us=window.end_us,
        max_hold_us=hold_us(tag),
    )
    return found.start_us, found.state


def _doubtful(readings: Readings) -> tuple[Ints, Ints]:
    """Return the spans in which a row of the state was lost, or may have been.

    They lie between two rows that are further apart than is due, and between the rows around a
    missing batch. The last row of all speaks for its hold, and nobody knows yet when the next
    one comes.
    """
    tag = readings.plan.tag("state")
    if tag is None or len(readings.samples[tag.tag_id].t_us) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    t_us = readings.samples[tag.tag_id].t_us
    following = np.append(t_us[1:], t_us[-1] + hold_us(tag))
    late = following - t_us > due_us(tag)
    missing = np.array(readings.plan.lost_us, np.int64).reshape(-1, 2)
    before = np.searchsorted(t_us, missing[:, 0], side="right") - 1
    after = np.searchsorted(t_us, missing[:, 1])
    # What lies before the first row is unknown anyhow.
    begins = np.append(t_us[late], t_us[np.maximum(before, 0)])
    ends = np.append(following[late], np.append(t_us, following[-1])[after])
    return begins, np.maximum(ends, begins)


def state_codes(raw: Floats, states: Mapping[int, str]) -> Ints:
    """Return state codes; a number that the plan does not list is unknown."""
    codes = np.full(len(raw), UNKNOWN, np.int64)
    for number, name in states.items():
        if name in STATES:
            codes[raw == number] = STATES.index(name)
    return codes


def _heard(readings: Readings) -> tuple[Ints, Ints]:
    """Return the spans in which any tag of the asset was heard of."""
    spans = [_spoken(tag, readings.samples[tag.tag_id]) for tag in readings.plan.tags]
    begins, ends = zip(*spans, strict=True)
    return np.concatenate(begins), np.concatenate(ends)


def _spoken(tag: Tag, samples: Samples) -> tuple[Ints, Ints]:
    """Return the spans in which the rows of a tag have a value and speak, joined where they meet.

    A link that says 0 tells that its system was not heard of.
    """
    speaks = ~np.isnan(samples.value)
    if tag.role == "link":
        speaks &= samples.value != 0
    until = samples.t_us + hold_us(tag)
    until[:-1] = np.minimum(until[:-1], samples.t_us[1:])
    begins, ends = samples.t_us[speaks], until[speaks]
    if len(begins) == 0:
        return begins, ends
    apart = begins[1:] > ends[:-1]
    return begins[np.append(True, apart)], ends[np.append(apart, True)]
