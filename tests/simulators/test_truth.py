"""The truth: by hand on tiny logs, and from the rows of history by another way."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from simulators import clock, states, truth
from simulators.energy import consumer
from simulators.finance import Month
from simulators.logs import GOOD, REWORK, SCRAP, Log, Parts, flow_of
from simulators.orders import OrderLine, Shipment
from simulators.plant import Plant
from simulators.quality import Lot
from tests.simulators.conftest import Past

HOUR = 3600 * clock.SECOND_US


def _log(hours: list[float], state: list[int], rate: list[float], reject: list[float]) -> Log:
    edges = np.array([round(each * HOUR) for each in hours], np.int64)
    count = len(state)
    return Log(
        edges,
        np.array(state, np.int8),
        np.full(count, 1, np.int16),
        np.zeros(count, np.int64),
        np.array(rate),
        np.array(reject),
        np.zeros(count),
    )


def _parts(fates: list[int]) -> Parts:
    # One piece each quarter hour from 1:15 on.
    count = len(fates)
    instants = np.arange(count, dtype=np.int64) * HOUR // 4 + 5 * HOUR // 4
    bad = np.concatenate([[0], np.cumsum(np.array(fates) != GOOD)])
    return Parts(
        instants,
        np.full(count, 1, np.int16),
        np.array(fates, np.int8),
        np.zeros(count, np.int64),
        bad,
    )


def test_oee_of_ten_pieces_by_hand() -> None:
    # A shift of 8 h less a filed stop of 1 h; 4 h run; 10 pieces of 20 min, 2 of them bad.
    log = _log([0, 1, 3, 4, 6, 8], [3, 1, 2, 1, 4], [0] * 5, [0] * 5)
    fates = [GOOD, GOOD, SCRAP, GOOD, GOOD, GOOD, REWORK, GOOD, GOOD, GOOD]
    planned = truth.planned_intervals([(0, 8 * HOUR)], [(7 * HOUR, 9 * HOUR)])
    assert planned == [(0, 7 * HOUR)]
    made = truth.asset_output(log, _parts(fates), {1: 1200.0}, planned, (0, 24 * HOUR))
    assert made == truth.AssetOutput(7 * 3600, 4 * 3600, 12000.0, 9600.0)
    figures = truth.oee_figures([made])
    assert figures["oee"] == pytest.approx(9600 / 25200)
    assert figures["availability"] == pytest.approx(4 / 7)
    assert figures["performance"] == pytest.approx(12000 / 14400)
    assert figures["quality"] == pytest.approx(0.8)


def test_a_window_cuts_time_and_pieces() -> None:
    log = _log([0, 1, 3, 4, 6, 8], [3, 1, 2, 1, 4], [0] * 5, [0] * 5)
    made = truth.asset_output(
        log, _parts([GOOD] * 10), {1: 1200.0}, [(0, 8 * HOUR)], (2 * HOUR, 5 * HOUR)
    )
    # Pieces at 2:00, 2:15, 2:30, 2:45, 3:00, 3:15, 3:30.
    assert made == truth.AssetOutput(3 * 3600, 2 * 3600, 7 * 1200.0, 7 * 1200.0)


def test_run_time_outside_planned_time_does_not_count() -> None:
    log = _log([0, 8], [states.RUN], [0.0], [0.0])
    made = truth.asset_output(log, _parts([]), {1: 1.0}, [(HOUR, 3 * HOUR)], (0, 8 * HOUR))
    assert (made.planned_s, made.run_s) == (7200, 7200)


def test_a_flow_by_hand() -> None:
    # 2 kg/s for an hour with a quarter off grade, ideal 0.4 s/kg, in a planned time of 2 h.
    log = _log([0, 1, 2], [states.RUN, states.STOP], [2.0, 0.0], [0.25, 0.0])
    made = truth.asset_output(log, flow_of(log), {1: 0.4}, [(0, 2 * HOUR)], (HOUR // 2, 2 * HOUR))
    assert made == truth.AssetOutput(5400, 1800, 1440.0, 1080.0)


def test_oee_of_unlike_machines_is_the_ratio_of_sums() -> None:
    a, b = truth.AssetOutput(100, 90, 80, 80), truth.AssetOutput(300, 200, 150, 135)
    assert truth.oee_figures([a, b])["oee"] == pytest.approx(215 / 400)
    assert truth.oee_figures([])["oee"] is None


def test_energy_is_the_clipped_integral() -> None:
    part = consumer(np.array([0, 2 * HOUR, 4 * HOUR]), np.array([10.0, 30.0]))
    assert truth.energy_used([(1.5, part)], (HOUR, 3 * HOUR)) == pytest.approx(1.5 * 40)


def test_on_time_counts_the_first_confirmed_day_and_open_lines() -> None:
    def line(due: int, confirmed: tuple[int, ...], *shipments: tuple[int, int]) -> OrderLine:
        shipped = tuple(Shipment(day, quantity) for day, quantity in shipments)
        return OrderLine("SO-1", 0, 100, due, confirmed, None, shipped, 0)

    lines = [
        line(10, (12,), (12, 100)),  # on the day: kept
        line(10, (12, 20), (15, 100)),  # kept only against the second promise: missed
        line(14, (), (13, 60), (14, 40)),  # nothing confirmed, complete on the wish date: kept
        line(14, (14,), (13, 60), (15, 40)),  # the rest a day late: missed
        line(14, (15,)),  # open: missed
        line(19, (25,), (20, 100)),  # due after the window
    ]
    assert truth.on_time_delivery(lines, 10, 20) == pytest.approx(2 / 5)
    assert truth.on_time_delivery(lines, 50, 60) is None


def test_defects_by_hand() -> None:
    lots = [
        Lot("1", "M01", 1, 100, 2, 3, 10),
        Lot("2", "M01", 1, 300, 0, 5, 19),
        Lot("3", "M01", 1, 50, 50, 0, 20),
    ]
    assert truth.defect_rate(lots, (10, 20)) == pytest.approx(10 / 400)


def test_turnover_over_a_year_and_over_a_month() -> None:
    months = [
        Month(clock.add_months(date(2024, 12, 1), at), 100, {"raw": 10 * at, "finished": 200})
        for at in range(13)
    ]
    year = truth.inventory_turnover(months, date(2025, 1, 1), date(2026, 1, 1))
    assert year == pytest.approx(1200 / 260)
    month = truth.inventory_turnover(months, date(2025, 1, 1), date(2025, 2, 1))
    assert month == pytest.approx(1200 / 205)


def _counted(past: Past, name: str, window: tuple[int, int]) -> float:
    """Return what a register counted in a window, by its rows alone."""
    tag = next(each for each in past.plant.tags if each.name == name)
    ts, value = past.rows(name)
    low, high = np.searchsorted(ts, window)
    step = np.diff(value[low : high + 1])
    assert tag.modulus is not None
    return float(np.where(step < 0, step + tag.modulus, step).sum() * tag.ratio)


def test_the_rows_of_history_show_the_true_energy(past: Past) -> None:
    plant = past.plant
    factors = {each.carrier: each.kgce_per_unit for each in plant.scenario.energy_factor}
    factors |= {"electricity": 0.1229, "heat": 0.03412}
    window = (plant.renovation_us, clock.midnight_us(clock.day_number(plant.windows.after[1])))
    tce = sum(
        _counted(past, f"{meter.code}.energy", window) * factors[meter.carrier] / 1000
        for meter in plant.scenario.meter
        if meter.level == 1
    )
    assert tce == pytest.approx(plant.truth()["after"]["standard_coal"], rel=1e-4)


def test_sub_meters_sum_to_a_little_less_than_the_entry(machining_past: Past) -> None:
    plant = machining_past.plant
    window = (plant.origin_us, plant.renovation_us)
    entry = _counted(machining_past, "EM01.energy", window)
    below = sum(_counted(machining_past, f"EM0{at}.energy", window) for at in (2, 3))
    assert 0.97 < below / entry < 0.995


def test_the_rows_of_history_show_the_true_oee(past: Past) -> None:
    """Counts between rows, each at the cycle of the product that the row before shows."""
    plant = past.plant
    window = (plant.renovation_us, clock.midnight_us(clock.day_number(plant.windows.after[1])))
    ideal_good = 0.0
    for equipment in plant.scenario.equipment:
        if not equipment.in_oee:
            continue
        products, product = past.rows(f"{equipment.code}.product")
        for name, sign in (("total", 1), ("reject", -1)):
            ts, value = past.rows(f"{equipment.code}.{name}")
            low, high = np.searchsorted(ts, window)
            step = np.diff(value[low : high + 1])
            step = np.where(step < 0, step + 2**32, step)
            made = product[np.searchsorted(products, ts[low:high], side="right") - 1]
            cycle = np.array([equipment.ideal_cycles[str(int(each))] for each in made])
            ideal_good += sign * float(np.sum(step * cycle))
    true = plant.truth()["after"]
    planned_s = sum(
        truth._asset_output(plant, each, window).planned_s
        for each in plant.scenario.equipment
        if each.in_oee
    )
    assert ideal_good / planned_s == pytest.approx(true["oee"], abs=0.001)


def test_the_factors_multiply_to_oee(plant: Plant) -> None:
    for figures in (plant.truth()["baseline"], plant.truth()["after"]):
        product = figures["availability"] * figures["performance"] * figures["quality"]
        assert product == pytest.approx(figures["oee"])


# A month has too few projects for a median.
NOT_OF_A_MONTH = {"rd_cycle"}
NOT_BEFORE = {"retrofitted_lines", "retrofitted_equipment"}


def test_every_kpi_is_there_for_every_month_or_must_be_refused(plant: Plant) -> None:
    every = plant.truth()
    kpis = set(every["after"])
    has_robots = any(each.kind == "robot" for each in plant.scenario.equipment)
    never = set() if has_robots else {"robots"}
    assert len(kpis) == 17
    for name, refused in (
        ("baseline_months", NOT_OF_A_MONTH | NOT_BEFORE),
        ("after_months", NOT_OF_A_MONTH),
    ):
        assert len(every[name]) == 12
        for figures in every[name].values():
            assert set(figures) == kpis
            assert {kpi for kpi, value in figures.items() if value is None} == refused | never
    for name, refused in (("baseline", NOT_BEFORE), ("after", set())):
        assert {kpi for kpi, value in every[name].items() if value is None} == refused | never


def test_months_of_energy_sum_to_the_year(plant: Plant) -> None:
    every = plant.truth()
    months = sum(each["standard_coal"] for each in every["after_months"].values())
    assert months == pytest.approx(every["after"]["standard_coal"])


def test_the_stop_that_was_filed_late_costs_planned_time(machining: Plant) -> None:
    late = next(stop for stop in machining.calendar.stops if stop.filed_us >= stop.start_us)
    first = clock.to_datetime(late.start_us).date().replace(day=1)
    as_is = truth.window_truth(machining, first, clock.add_months(first, 1))
    stops = machining.calendar.stops
    try:
        in_time = replace(late, filed_us=late.start_us - 1)
        machining.calendar.stops = tuple(in_time if each is late else each for each in stops)
        excused = truth.window_truth(machining, first, clock.add_months(first, 1))
    finally:
        machining.calendar.stops = stops
    assert (excused["oee"] or 0) > (as_is["oee"] or 1) + 0.005


def test_robots_and_new_machines_are_networked_after(machining: Plant, fibre: Plant) -> None:
    for plant, before, after in ((machining, 6, 8), (fibre, 4, 6)):
        assert plant.truth()["baseline"]["networked_equipment"] == before
        assert plant.truth()["after"]["networked_equipment"] == after
    assert (machining.truth()["baseline"]["robots"], machining.truth()["after"]["robots"]) == (0, 2)
    assert fibre.truth()["after"]["robots"] is None


def test_retrofits_people_and_projects_by_hand(machining: Plant) -> None:
    true = machining.truth()["after"]
    assert (true["retrofitted_lines"], true["retrofitted_equipment"]) == (2, 4)
    staff = [machining.employees[clock.add_months(machining.renovation, at)] for at in range(12)]
    assert true["headcount"] == pytest.approx(sum(staff) / 12)
    first, end = machining.windows.after
    days = sorted(each.days for each in machining.projects if first <= each.released_on < end)
    assert len(days) >= 4
    assert days[0] < true["rd_cycle"] < days[-1]
    assert true["rd_cycle"] < machining.truth()["baseline"]["rd_cycle"]
    value = sum(each.cogs_yuan for each in machining.months if first <= each.first < end) * 1.31
    assert true["energy_intensity_value"] == pytest.approx(
        true["standard_coal"] / value * 10_000, rel=1e-6
    )
