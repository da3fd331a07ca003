"""What holds for every event log: it tiles the time, repeats itself, and makes sense."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from simulators import clock, logs, scenarios, states, truth
from simulators.errors import BeyondHorizon
from simulators.logs import Flow, Parts
from simulators.plant import Plant, build
from tests.simulators.conftest import AS_OF


def test_segments_tile_every_day(plant: Plant) -> None:
    for log in plant.logs.values():
        assert (np.diff(log.edges_us) > 0).all()
        first = int(log.edges_us[0])
        for day in range(1, len(plant.days)):
            assert first + day * clock.DAY_US in log.edges_us
        assert log.edges_us[-1] == first + len(plant.days) * clock.DAY_US


def test_the_same_seed_gives_the_same_log_whatever_the_horizon(plant: Plant) -> None:
    longer = build(plant.scenario, AS_OF + timedelta(days=9), horizon_days=60)
    for code, log in plant.logs.items():
        count = len(log.state)
        other = longer.logs[code]
        assert np.array_equal(log.edges_us, other.edges_us[: count + 1])
        assert np.array_equal(log.state, other.state[:count])
        assert np.array_equal(log.rate, other.rate[:count])
        assert np.array_equal(log.kw, other.kw[:count])


def test_another_seed_gives_another_log(machining: Plant) -> None:
    other = build(replace(machining.scenario, seed=1), AS_OF)
    assert not np.array_equal(
        machining.logs["M01"].edges_us[:500], other.logs["M01"].edges_us[:500]
    )


def test_nothing_is_made_while_not_running(plant: Plant) -> None:
    for log in plant.logs.values():
        assert (log.rate[log.state != states.RUN] == 0).all()


def test_nothing_runs_outside_the_shifts_or_in_planned_stops(plant: Plant) -> None:
    first, last = int(plant.days[0]), int(plant.days[-1]) + 1
    shifts = np.array(plant.calendar.shift_intervals(first, last))
    for code, log in plant.logs.items():
        running = logs.runs(log)
        start, end = log.edges_us[:-1][running], log.edges_us[1:][running]
        shift = np.searchsorted(shifts[:, 0], start, side="right") - 1
        # A run may go on from one shift into the next without a break.
        day_end = shifts[np.minimum(np.searchsorted(shifts[:, 1], end), len(shifts) - 1), 1]
        assert (start >= shifts[shift, 0]).all()
        assert (start < shifts[shift, 1]).all()
        assert (end <= day_end).all()
        for stop in plant.calendar.stops:
            if stop.asset in ("", code):
                assert not ((start < stop.end_us) & (end > stop.start_us)).any()


def test_products_change_with_a_setup(plant: Plant) -> None:
    for equipment in plant.scenario.equipment:
        if not equipment.ideal_cycles:
            continue
        log = plant.logs[equipment.code]
        changes = np.flatnonzero(np.diff(log.product) != 0) + 1
        assert len(changes) > 80
        # Where a stop took the rest of the day, the new product simply follows it.
        assert np.mean(log.state[changes] == states.SETUP) > 0.95
        assert set(np.unique(log.product)) == {int(each) for each in equipment.ideal_cycles}


def test_parts_complete_in_order_within_runs_of_their_product(machining: Plant) -> None:
    for code in ("M01", "M06", "R02"):
        log, parts = machining.logs[code], machining.outputs[code]
        assert isinstance(parts, Parts)
        assert (np.diff(parts.instants_us) > 0).all()
        # A piece counts at its completion, which may be the very end of a segment.
        segment = log.index(parts.instants_us - 1)
        assert (log.state[segment] == states.RUN).all()
        assert (log.product[segment] == parts.product).all()


def test_no_piece_is_faster_than_its_machine(machining: Plant) -> None:
    for equipment in machining.scenario.equipment:
        parts = machining.outputs[equipment.code]
        assert isinstance(parts, Parts)
        fastest_s = np.diff(parts.instants_us).min() / clock.SECOND_US
        assert 1 / fastest_s < equipment.max_rate_per_s


def test_a_flow_is_the_integral_of_its_rates(fibre: Plant) -> None:
    log, flow = fibre.logs["SP1"], fibre.outputs["SP1"]
    assert isinstance(flow, Flow)
    by_hand = float(np.sum(np.diff(log.edges_us) / 1e6 * log.rate))
    assert flow.total(log.edges_us[-1:])[0] == pytest.approx(by_hand, abs=1)
    assert (flow.rejected <= flow.made).all()


def test_a_line_ramps_up_after_a_long_stop(fibre: Plant) -> None:
    log = fibre.logs["SP1"]
    long_stop = (log.state[:-2] == states.STOP) & (log.duration_s()[:-2] > 1200)
    follows = np.flatnonzero(long_stop & (log.state[1:-1] == states.RUN)) + 1
    assert len(follows) > 100
    first, second = log.rate[follows], log.rate[follows + 1]
    ramping = (log.state[follows + 1] == states.RUN) & (log.reject[follows] > 0.3)
    assert ramping.mean() > 0.9
    assert (first[ramping] < second[ramping]).all()


def test_the_log_refuses_an_instant_beyond_it(machining: Plant) -> None:
    log = machining.logs["M01"]
    with pytest.raises(BeyondHorizon):
        log.index(np.array([log.edges_us[-1]]))


def test_energy_grows_with_the_load(fibre: Plant) -> None:
    """Gas per kg is dearer at low load: the boilers' constant part and their droop."""
    gas = fibre.feeds["GM01"]
    edges = clock.grid(fibre.origin_us, fibre.as_of_us, clock.DAY_US)
    flows = [fibre.outputs[code] for code in ("SP1", "SP2")]
    made = sum(np.diff(flow.total(edges)) for flow in flows if isinstance(flow, Flow))
    made = np.asarray(made, float)
    busy = made > 0.3 * np.median(made)
    specific = np.diff(gas.total(edges))[busy] / made[busy]
    low, high = np.quantile(made[busy], (0.1, 0.9))
    assert specific[made[busy] < low].mean() > 1.05 * specific[made[busy] > high].mean()


@pytest.mark.parametrize("name", scenarios.names())
def test_another_year_works_as_well(name: str) -> None:
    moved = build(scenarios.load(name), AS_OF.replace(year=2028, month=1), horizon_days=3)
    assert moved.windows.after[1].isoformat() == "2028-01-01"
    before, after = (
        truth.window_truth(moved, *window)
        for window in (moved.windows.baseline, moved.windows.after)
    )
    assert (after["oee"] or 0) > (before["oee"] or 1) + 0.05
