"""The figures that a correct system must show, from the event log alone.

Nothing here reads a register, a row or a record: time comes from segments, output from the
completion of pieces or the integral of a flow, energy from the consumers' rates, business
figures from the orders, lots and books themselves. Formulas: ISO 22400-2 for OEE and its
factors, GB/T 2589-2020 for standard coal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from simulators import clock, expected, monthly, states
from simulators.clock import SECOND_US
from simulators.energy import Consumer
from simulators.finance import Month
from simulators.logs import GOOD, REWORK, SCRAP, Log, Output, Parts
from simulators.model import Equipment
from simulators.noise import Floats
from simulators.orders import OrderLine
from simulators.quality import Lot

if TYPE_CHECKING:
    from simulators.plant import Plant

Truth = dict[str, Any]

# GB/T 2589-2020 Annex A, kgce per kWh and per MJ, calorific value.
KGCE_PER_KWH = 0.1229
KGCE_PER_MJ = 0.03412
# Coal for a supplied kWh in 2020 by the NDRC: 305.5 g.
KGCE_PER_KWH_EQUIVALENT = 0.3055

NETWORKED_DAYS = 30
NETWORKED_SHARE = 0.9

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class AssetOutput:
    """Ideal seconds of all and of good output, planned and run seconds of one asset."""

    planned_s: float
    run_s: float
    ideal_total_s: float
    ideal_good_s: float


def truth(plant: "Plant") -> Truth:
    """Return the true KPIs: baseline, after, baseline_months, after_months.

    The months are keyed YYYY-MM. A KPI is None where a correct system must refuse it: there is
    nothing to divide by, or too little to form it from. Beside them stand the findings that the
    troubles must lead to, and the KPIs that the enterprise's own report departs from.
    """
    windows = plant.windows
    result: Truth = {
        "baseline": window_truth(plant, *windows.baseline),
        "after": window_truth(plant, *windows.after),
    }
    for name, (first, last) in (("baseline", windows.baseline), ("after", windows.after)):
        months = [clock.add_months(first, at) for at in range(_months(first, last))]
        result[f"{name}_months"] = {
            f"{each:%Y-%m}": window_truth(plant, each, clock.add_months(each, 1)) for each in months
        }
    result["findings"] = expected.findings(plant)
    result["overstated"] = sorted(
        each.kpi for each in plant.scenario.self_report if (each.add, each.times) != (0.0, 1.0)
    )
    return result


def window_truth(plant: "Plant", first: date, end: date) -> dict[str, float | None]:
    """Return the true KPIs of the local days [first, end), which are whole months.

    None stands for one that must be refused.
    """
    window = (
        clock.midnight_us(clock.day_number(first)),
        clock.midnight_us(clock.day_number(end)),
    )
    tce, tce_equivalent = _standard_coal(plant, window)
    made = [_asset_output(plant, each, _shifts_of(plant, first, end)) for each in _in_oee(plant)]
    return {
        **oee_figures(made),
        "defect_rate": defect_rate(plant.lots, window),
        "on_time_delivery": on_time_delivery(
            plant.order_lines, clock.day_number(first), clock.day_number(end)
        ),
        "inventory_turnover": inventory_turnover(plant.months, first, end),
        "standard_coal": tce,
        "standard_coal_equivalent": tce_equivalent,
        "energy_intensity": _ratio(tce * 1000, sum(each.ideal_good_s for each in made) / 3600),
        "energy_intensity_value": _ratio(tce, _output_value(plant, first, end)),
        "networked_equipment": float(_networked(plant, window[1])),
        "robots": _robots(plant, window[1]),
        **_retrofitted(plant, window[1]),
        "headcount": monthly.headcount(plant.employees, first, end),
        "rd_cycle": monthly.rd_cycle(plant.projects, first, end),
    }


def oee_figures(assets: Sequence[AssetOutput]) -> dict[str, float | None]:
    """Return OEE and its three factors [1] as ratios of sums over assets."""
    planned = sum(each.planned_s for each in assets)
    run = sum(each.run_s for each in assets)
    total = sum(each.ideal_total_s for each in assets)
    good = sum(each.ideal_good_s for each in assets)
    return {
        "oee": _ratio(good, planned),
        "availability": _ratio(run, planned),
        "performance": _ratio(total, run),
        "quality": _ratio(good, total),
    }


def defect_rate(lots: Sequence[Lot], window: Interval) -> float | None:
    """Return scrap and rework over all that was inspected in a window [1]."""
    chosen = [lot for lot in lots if window[0] <= lot.inspected_us < window[1]]
    bad = sum(lot.scrap + lot.rework for lot in chosen)
    return _ratio(float(bad), float(sum(lot.total for lot in chosen)))


def on_time_delivery(lines: Sequence[OrderLine], first_day: int, end_day: int) -> float | None:
    """Return the share of lines due in [first, end) that were complete on that day [1].

    The first confirmed day counts, the customer's where none was confirmed.
    """
    due = kept = 0
    for line in lines:
        promised = line.confirmed_days[0] if line.confirmed_days else line.due_day
        if first_day <= promised < end_day:
            shipped = sum(each.quantity for each in line.shipments if each.day <= promised)
            due += 1
            kept += shipped >= line.quantity
    return _ratio(float(kept), float(due))


def inventory_turnover(months: Sequence[Month], first: date, end: date) -> float | None:
    """Return the yearly cost of goods sold over the mean of the month-end stocks [turns]."""
    count = _months(first, end)
    by_first = {each.first: each for each in months}
    inside = [by_first[clock.add_months(first, at)] for at in range(count)]
    balances = [by_first[clock.add_months(first, -1)], *inside]
    mean = sum(sum(each.stock_yuan.values()) for each in balances) / len(balances)
    return _ratio(sum(each.cogs_yuan for each in inside) * 12 / count, mean)


def asset_output(
    log: Log,
    output: Output,
    cycles: dict[int, float],
    planned: Sequence[Interval],
    window: Interval,
) -> AssetOutput:
    """Return what one asset should and did do in a window; cycles are seconds by product."""
    inside = [_common(each, window) for each in planned]
    run_s = _run_s(log, inside)
    if isinstance(output, Parts):
        total, good = _ideal_of_parts(output, cycles, window)
    else:
        total, good = _ideal_of_flow(log, cycles, window)
    planned_s = sum(max(0, end - start) for start, end in inside) / SECOND_US
    return AssetOutput(planned_s, run_s, total, good)


def planned_intervals(shifts: Sequence[Interval], stops: Sequence[Interval]) -> list[Interval]:
    """Return the shifts without the stops that were filed in time."""
    left = list(shifts)
    for begin, finish in stops:
        pieces = []
        for start, end in left:
            pieces += [(start, min(end, begin)), (max(start, finish), end)]
        left = [(start, end) for start, end in pieces if end > start]
    return left


def energy_used(parts: Sequence[tuple[float, Consumer]], window: Interval) -> float:
    """Return the integral of consumers' rates over a window [meter units]."""
    used = 0.0
    for share, part in parts:
        pieces = _pieces(part.edges_us, window)
        hours = _overlap_us(part.edges_us, pieces, window) / (3600 * SECOND_US)
        used += share * float(np.dot(hours, part.rate[pieces]))
    return used


def _in_oee(plant: "Plant") -> list[Equipment]:
    return [each for each in plant.scenario.equipment if each.in_oee]


def _shifts_of(plant: "Plant", first: date, end: date) -> Interval:
    """Return the window of what is made: a night shift counts for the day on which it starts."""
    edges = []
    for day in (clock.day_number(first), clock.day_number(end)):
        ends = [finish for _, finish in plant.calendar.shift_intervals(day - 1, day)]
        edges.append(max([clock.midnight_us(day), *ends]))
    return edges[0], edges[1]


def _asset_output(plant: "Plant", equipment: Equipment, window: Interval) -> AssetOutput:
    first, last = clock.local_day(window[0]) - 2, clock.local_day(window[1]) + 1
    stops = [
        (stop.start_us, stop.end_us)
        for stop in plant.calendar.stops
        if stop.asset in ("", equipment.code) and stop.filed_us < stop.start_us
    ]
    planned = planned_intervals(plant.calendar.shift_intervals(first, last), stops)
    output = plant.outputs[equipment.code]
    assert output is not None
    cycles = {int(number): cycle for number, cycle in equipment.ideal_cycles.items()}
    return asset_output(plant.logs[equipment.code], output, cycles, planned, window)


def _standard_coal(plant: "Plant", window: Interval) -> tuple[float, float]:
    factors = {each.carrier: each.kgce_per_unit for each in plant.scenario.energy_factor}
    factors = {"electricity": KGCE_PER_KWH, "heat": KGCE_PER_MJ} | factors
    calorific = equivalent = 0.0
    for meter in plant.scenario.meter:
        if meter.level == 1:
            used = energy_used(plant.feeds[meter.code].parts, window)
            calorific += used * factors[meter.carrier]
            electric = meter.carrier == "electricity"
            equivalent += used * (KGCE_PER_KWH_EQUIVALENT if electric else factors[meter.carrier])
    return calorific / 1000, equivalent / 1000


def _networked(plant: "Plant", end_us: int) -> int:
    start_us = end_us - NETWORKED_DAYS * clock.DAY_US
    count = 0
    for equipment in plant.scenario.equipment:
        heard = end_us - max(start_us, plant.networked_from_us(equipment.code))
        for outage in plant.outages:
            if outage.source == "opcua":
                common = _common((outage.start_us, outage.end_us), (start_us, end_us))
                heard -= max(0, common[1] - common[0])
        count += heard >= NETWORKED_SHARE * (end_us - start_us)
    return count


def _output_value(plant: "Plant", first: date, end: date) -> float:
    """Return the value of the output at constant prices [10,000 yuan]."""
    books = plant.scenario.books
    inside = [month for month in plant.months if first <= month.first < end]
    return sum(monthly.output_value_yuan(books, each) for each in inside) / monthly.YUAN_PER_UNIT


def _retrofitted(plant: "Plant", end_us: int) -> dict[str, float | None]:
    """Return the equipment with a paper of its retrofit, and its lines; None before that."""
    done = [each for each in plant.scenario.equipment if each.retrofit_document]
    if not done or end_us <= plant.renovation_us:
        return {"retrofitted_lines": None, "retrofitted_equipment": None}
    lines = {each.line for each in done}
    return {"retrofitted_lines": float(len(lines)), "retrofitted_equipment": float(len(done))}


def _robots(plant: "Plant", end_us: int) -> float | None:
    """Return how many robots the city can have heard of; None where the plant has none."""
    known = [
        plant.networked_from_us(each.code) < end_us
        for each in plant.scenario.equipment
        if each.kind == "robot"
    ]
    return float(sum(known)) if known else None


def _ideal_of_parts(
    parts: Parts, cycles: dict[int, float], window: Interval
) -> tuple[float, float]:
    inside = slice(*np.searchsorted(parts.instants_us, window))
    product, fate = parts.product[inside], parts.fate[inside]
    total = good = 0.0
    for number, cycle in cycles.items():
        counts = np.bincount(fate[product == number], minlength=3)
        total += cycle * float(counts[GOOD] + counts[SCRAP] + counts[REWORK])
        good += cycle * float(counts[GOOD])
    return total, good


def _ideal_of_flow(log: Log, cycles: dict[int, float], window: Interval) -> tuple[float, float]:
    pieces = _pieces(log.edges_us, window)
    made = _overlap_us(log.edges_us, pieces, window) / SECOND_US * log.rate[pieces]
    cycle = np.array([cycles[number] for number in log.product[pieces].tolist()])
    return float(np.sum(made * cycle)), float(np.sum(made * (1 - log.reject[pieces]) * cycle))


def _run_s(log: Log, intervals: Sequence[Interval]) -> float:
    """Return how long a machine ran in some intervals."""
    running_us = np.diff(log.edges_us) * (log.state == states.RUN)
    upto = np.concatenate([[0], np.cumsum(running_us)])
    edges = np.array(intervals, np.int64).reshape(-1, 2)
    return float(np.sum(np.diff(np.interp(edges, log.edges_us, upto)))) / SECOND_US


def _pieces(edges_us: clock.Instants, window: Interval) -> slice:
    """Return which pieces of time, each from an edge to the next, may touch a window."""
    low, high = np.searchsorted(edges_us, window).tolist()
    return slice(max(0, low - 1), max(0, min(high, len(edges_us) - 1)))


def _overlap_us(edges_us: clock.Instants, pieces: slice, window: Interval) -> Floats:
    """Return how much of each of these pieces lies in the window."""
    edges = edges_us[pieces.start : pieces.stop + 1]
    return np.diff(np.clip(edges, *window)).astype(np.float64)


def _common(a: Interval, b: Interval) -> Interval:
    start = max(a[0], b[0])
    return start, max(start, min(a[1], b[1]))


def _months(first: date, end: date) -> int:
    return (end.year - first.year) * 12 + end.month - first.month


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
