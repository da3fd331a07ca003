"""Registers count up, wrap at their modulus, and agree with the log."""

import numpy as np

from simulators import clock
from simulators.plant import Plant
from simulators.signals import Count, Energy, Signal


def _signal(plant: Plant, name: str) -> Signal:
    return next(
        signal for tag, signal in zip(plant.tags, plant.signals, strict=True) if tag.name == name
    )


def test_registers_only_count_up_modulo_their_wrap(plant: Plant) -> None:
    instants = clock.grid(plant.origin_us, plant.horizon_us)
    set_back = {each.tag for each in plant.scenario.trouble if each.kind == "reset"}
    for tag, signal in zip(plant.tags, plant.signals, strict=True):
        if tag.modulus is None or tag.name in set_back:
            continue
        value = signal.at(instants)
        assert tag.max_rate_per_s is not None
        assert ((value >= 0) & (value < tag.modulus)).all(), tag.name
        step = np.diff(value)
        step = np.where(step < 0, step + tag.modulus, step)
        assert (step <= tag.max_rate_per_s * 900).all(), tag.name
        assert step.sum() > 0, tag.name


def test_a_machine_counter_wraps_in_the_year_after(plant: Plant) -> None:
    instants = clock.grid(plant.renovation_us, plant.as_of_us)
    wraps = {
        tag.asset
        for tag, signal in zip(plant.tags, plant.signals, strict=True)
        if isinstance(signal, Count) and (np.diff(signal.at(instants)) < 0).any()
    }
    assert wraps == ({"M03"} if plant.scenario.name == "machining" else {"SP2"})


def test_an_energy_register_wraps(plant: Plant) -> None:
    instants = clock.grid(plant.origin_us, plant.as_of_us)
    wraps = {
        tag.asset
        for tag, signal in zip(plant.tags, plant.signals, strict=True)
        if isinstance(signal, Energy) and (np.diff(signal.at(instants)) < 0).any()
    }
    assert "EM01" in wraps


def test_an_energy_register_shows_the_energy_to_its_last_digit(machining: Plant) -> None:
    instants = clock.grid(machining.origin_us, machining.origin_us + 20 * clock.DAY_US)
    signal = _signal(machining, "EM03.energy")
    assert isinstance(signal, Energy)
    shown = (signal.at(instants) - signal.at(instants[:1])) * 20
    used = signal.feed.total(instants) - signal.feed.total(instants[:1])
    assert np.abs(shown - used).max() <= 0.2


def test_good_plus_reject_is_total(machining: Plant) -> None:
    instants = clock.grid(machining.origin_us, machining.as_of_us, clock.DAY_US)
    total, reject = _signal(machining, "M01.total"), _signal(machining, "M01.reject")
    made = total.at(instants) - total.at(instants[:1])
    bad = reject.at(instants) - reject.at(instants[:1])
    assert (bad <= made).all()
    assert bad[-1] > 0


def test_the_source_time_of_a_state_is_its_last_change(machining: Plant) -> None:
    signal = _signal(machining, "M02.state")
    changes = signal.changes(machining.as_of_us - clock.DAY_US, machining.as_of_us)
    middle = int(changes[5] + changes[6]) // 2
    assert signal.since(middle) == changes[5]
    before, after = signal.at(np.array([changes[5] - 1, changes[5]]))
    assert before != after


def test_the_source_time_of_a_counter_is_the_last_piece(machining: Plant) -> None:
    signal = _signal(machining, "M02.total")
    since = signal.since(machining.as_of_us)
    before, at = signal.at(np.array([since - 1, since]))
    assert at == before + 1
    assert signal.at(np.array([machining.as_of_us]))[0] == at


def test_the_power_of_a_machine_follows_its_log_and_is_never_still(machining: Plant) -> None:
    log, full_kw = machining.logs["M02"], machining.equipment("M02").run_kw
    instants = clock.grid(machining.renovation_us, machining.renovation_us + 7 * clock.DAY_US)
    shown = _signal(machining, "M02.power").at(instants)
    assert np.abs(shown - log.kw[log.index(instants)]).max() <= 0.02 * full_kw + 0.005
    running = shown > 0.4 * full_kw
    assert running.any()
    assert (np.diff(shown[running]) != 0).mean() > 0.9


def test_sensors_stay_between_rest_and_full_load(plant: Plant) -> None:
    instants = clock.grid(plant.renovation_us, plant.as_of_us)
    for sensor in plant.scenario.sensor:
        shown = _signal(plant, f"{sensor.asset}.{sensor.name}").at(instants)
        assert shown.min() >= max(0.0, sensor.at_rest - sensor.noise) - 0.1
        assert shown.max() <= sensor.at_full + sensor.noise + 0.1
        assert np.ptp(shown) > 0.5 * (sensor.at_full - sensor.at_rest)
