"""Seconds by calendar and state, and seconds heard of."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kpi.builders import (
    BAD,
    IDLE,
    LINK,
    MINUTE_US,
    PLANNED_DOWN,
    POWER,
    RUN,
    SETUP,
    START_US,
    STATE,
    STOPPED,
    asset_plan,
    facts,
    planned,
    steady,
    tag,
)

MACHINE = asset_plan(tag(STATE))
BY_STATE = ("run_s", "setup_s", "stop_s", "idle_s", "unknown_s")
BY_CALENDAR = ("planned_s", "planned_down_s", "off_s")


def seconds(found: dict[str, np.ndarray], hour: int = 0) -> dict[str, float]:
    """Seconds by state of one hour, without those that are zero."""
    return {name: float(found[name][hour]) for name in BY_STATE if found[name][hour] > 0}


def test_states_are_weighted_by_time_and_not_by_rows() -> None:
    states = [(-5, IDLE), (0, RUN), (40, STOPPED), (41, STOPPED), (42, STOPPED), (45, SETUP)]
    found = facts(MACHINE, {STATE: [*states, *steady(RUN, 10, 35, 5)]})
    assert seconds(found) == {"run_s": 2400, "stop_s": 300, "setup_s": 900}


def test_the_last_state_before_the_hour_is_carried_into_it_for_three_heartbeats() -> None:
    found = facts(MACHINE, {STATE: [(-20, RUN)]}, hours=2)
    assert seconds(found, 0) == {"run_s": 25 * 60, "unknown_s": 35 * 60}
    assert seconds(found, 1) == {"unknown_s": 3600}


def test_the_hold_follows_the_heartbeat_of_the_tag() -> None:
    found = facts(asset_plan(tag(STATE, heartbeat_s=60)), {STATE: [(0, RUN)]})
    assert seconds(found) == {"run_s": 180, "unknown_s": 3420}


def test_bad_rows_are_unknown_until_the_next_good_one() -> None:
    states = [(0, RUN), (10, None), (20, RUN, BAD), (30, STOPPED), (45, STOPPED), (59, IDLE)]
    assert seconds(facts(MACHINE, {STATE: states})) == {
        "run_s": 600,
        "unknown_s": 1200,
        "stop_s": 29 * 60,
        "idle_s": 60,
    }


@pytest.mark.parametrize("raw", [9, 1.5, -1], ids=["unlisted", "between two states", "negative"])
def test_a_raw_state_that_the_plan_does_not_list_is_unknown(raw: float) -> None:
    found = facts(MACHINE, {STATE: [(0, RUN), (30, raw)]})
    assert seconds(found) == {"run_s": 1800, "unknown_s": 1800}
    assert found["known_s"][0] == 3600, "the machine was heard of all the same"


def test_a_stop_that_the_machine_calls_planned_but_nobody_filed_is_a_stop() -> None:
    found = facts(MACHINE, {STATE: steady(PLANNED_DOWN, 0, 60)})
    assert seconds(found) == {"stop_s": 3600}
    assert found["planned_down_s"][0] == 0


def test_states_off_shift_are_no_part_of_planned_time() -> None:
    found = facts(MACHINE, {STATE: steady(RUN, 0, 120)}, hours=2, calendar=planned((30, 75)))
    assert seconds(found, 0) == {"run_s": 1800}
    assert seconds(found, 1) == {"run_s": 900}
    assert found["off_s"].tolist() == [1800, 2700]
    assert found["known_s"].tolist() == [3600, 3600]


def test_time_before_the_first_row_of_a_machine_is_unknown() -> None:
    found = facts(MACHINE, {STATE: steady(RUN, 45, 60)})
    assert seconds(found) == {"run_s": 900, "unknown_s": 2700}
    assert found["known_s"][0] == 900


def test_a_machine_without_a_state_tag_is_heard_of_but_not_idle() -> None:
    found = facts(asset_plan(tag(POWER)), {POWER: steady(2.5, 0, 60)})
    assert seconds(found) == {"unknown_s": 3600}
    assert found["known_s"][0] == 3600


def test_an_asset_is_heard_of_while_any_of_its_tags_speaks() -> None:
    # Power speaks for 3 min after minutes 0 and 1, the other tag for 45 min after minute 10.
    plan = asset_plan(tag(POWER, heartbeat_s=60), tag(20, role="process"))
    found = facts(plan, {POWER: [(0, 1.0), (1, 2.0)], 20: [(10, 7.0)]})
    assert found["known_s"][0] == (4 + 45) * 60


def test_who_is_heard_of_does_not_depend_on_which_tag_sends_more_rows() -> None:
    plan = asset_plan(tag(POWER), tag(20, role="process"))
    often = facts(plan, {POWER: steady(1.0, 0, 5, 0.5), 20: [(0, 7.0)]})
    assert often["known_s"][0] == 50 * 60


def test_two_process_tags_of_one_asset_both_count() -> None:
    plan = asset_plan(tag(20, role="process"), tag(21, role="process"))
    found = facts(plan, {20: [(0, 1.0)], 21: [(50, 1.0)]})
    assert found["known_s"][0] == (45 + 10) * 60
    assert found["row_count"][0] == 2


def test_a_link_that_says_zero_was_not_heard_of() -> None:
    found = facts(asset_plan(tag(LINK)), {LINK: [(0, 1), (15, 0), (30, 0), (45, 1)]})
    assert found["known_s"][0] == 1800


def test_a_tag_without_any_row_leaves_the_asset_unheard() -> None:
    found = facts(asset_plan(tag(LINK), tag(POWER)), {})
    assert found["known_s"][0] == 0


def doubt(found: dict[str, np.ndarray], hour: int = 0) -> tuple[float, float]:
    """Seconds of one hour in run that may not be run, and in other states that may be."""
    return float(found["run_doubt_s"][hour]), float(found["rest_doubt_s"][hour])


@pytest.mark.parametrize("late", [0, 0.1, 3.7], ids=["on time", "jitter", "a slow poll"])
def test_a_state_that_comes_when_it_is_due_is_beyond_doubt(late: float) -> None:
    states = steady(RUN, -15, 90, 15 + late)
    assert doubt(facts(MACHINE, {STATE: states})) == (0, 0)
    # On the quarter hour as well, and what changed in between besides.
    both = sorted([*steady(RUN, -15, 30), (31, IDLE), *steady(IDLE, 45, 75)])
    assert doubt(facts(MACHINE, {STATE: both})) == (0, 0)


def test_a_state_held_over_a_row_that_was_due_is_doubtful_from_the_row_before_it() -> None:
    states = [*steady(RUN, -15, 15), *steady(IDLE, 40, 90)]
    found = facts(MACHINE, {STATE: states})
    assert seconds(found) == {"run_s": 2400, "idle_s": 1200}, "the state is held all the same"
    assert doubt(found) == (25 * 60, 0)
    found = facts(MACHINE, {STATE: [*steady(SETUP, -15, 15), *steady(RUN, 40, 90)]})
    assert doubt(found) == (0, 25 * 60), "it may have run"


def test_what_is_unknown_or_off_shift_is_not_doubtful_besides() -> None:
    found = facts(MACHINE, {STATE: [(0, RUN), (55, RUN), (70, RUN)]})
    assert seconds(found) == {"run_s": 50 * 60, "unknown_s": 600}
    assert doubt(found) == (45 * 60, 0)
    found = facts(MACHINE, {STATE: [(0, RUN), (55, RUN), (70, RUN)]}, calendar=planned((30, 40)))
    assert doubt(found) == (600, 0)


def test_where_samples_were_dropped_the_state_is_unknown_from_the_first_of_them() -> None:
    # The spool sends a row without a value at the time of the first row that it dropped.
    found = facts(
        MACHINE, {STATE: [(0, RUN), (10, None), (20, RUN), (35, RUN), (50, RUN), (65, RUN)]}
    )
    assert seconds(found) == {"run_s": 3000, "unknown_s": 600}
    assert doubt(found) == (0, 0)


def test_where_a_batch_is_missing_the_state_is_doubtful_between_the_rows_around_it() -> None:
    lost = ((START_US + 11 * MINUTE_US, START_US + 13 * MINUTE_US),)
    plan = replace(MACHINE, lost_us=lost)
    states = [(0, RUN), (10, RUN), (14, SETUP), (20, RUN), (35, RUN), (50, RUN), (65, RUN)]
    assert doubt(facts(plan, {STATE: states})) == (4 * 60, 0)
    early = replace(MACHINE, lost_us=((START_US - 60 * MINUTE_US, START_US - 50 * MINUTE_US),))
    assert doubt(facts(early, {STATE: states})) == (0, 0)
    late = replace(MACHINE, lost_us=((START_US + 51 * MINUTE_US, START_US + 70 * MINUTE_US),))
    assert doubt(facts(late, {STATE: states})) == (10 * 60, 0)


def test_the_last_row_of_all_is_doubtful_until_the_next_one_comes() -> None:
    assert doubt(facts(MACHINE, {STATE: steady(RUN, -15, 45)})) == (15 * 60, 0)
    assert doubt(facts(MACHINE, {STATE: steady(RUN, -15, 60)})) == (0, 0)


_minutes = st.integers(-90, 240)
_states = st.one_of(st.none(), st.integers(0, 9))


@given(
    states=st.dictionaries(_minutes, _states, max_size=40),
    other=st.dictionaries(_minutes, _states, max_size=20),
    edges=st.lists(_minutes, max_size=8, unique=True).map(sorted),
)
def test_every_hour_is_split_without_rest(
    states: dict[int, int | None], other: dict[int, int | None], edges: list[int]
) -> None:
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    found = facts(
        asset_plan(tag(STATE), tag(POWER, heartbeat_s=60)),
        {STATE: sorted(states.items()), POWER: sorted(other.items())},
        hours=3,
        calendar=planned(*spans),
    )
    whole = sum(found[name] for name in BY_CALENDAR)
    np.testing.assert_allclose(whole, 3600, atol=1e-5)
    np.testing.assert_allclose(sum(found[name] for name in BY_STATE), found["planned_s"], atol=1e-5)
    assert all((found[name] >= 0).all() for name in (*BY_STATE, *BY_CALENDAR))
    assert (found["known_s"] <= 3600).all()
    assert (found["run_doubt_s"] <= found["run_s"] + 1e-5).all()
    in_state = found["run_s"] + found["unknown_s"] + found["rest_doubt_s"]
    assert (in_state <= found["planned_s"] + 1e-5).all()
    by_hand = [
        sum(max(0, min(e, 60 * h + 60) - max(b, 60 * h)) for b, e in spans) for h in range(3)
    ]
    np.testing.assert_allclose(found["planned_s"], np.array(by_hand) * 60, atol=1e-5)
