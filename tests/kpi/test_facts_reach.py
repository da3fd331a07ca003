"""Which hours a change of rows reaches, and that facts come out alike however rows arrive."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from kpi.facts import AssetPlan, Window, asset_facts
from kpi.facts.basis import HOUR_US, Columns
from kpi.facts.reach import NEIGHBOURS, product_span, reach, weighed
from store.canonical import Rows
from tests.kpi.builders import (
    ENERGY,
    POWER,
    PRODUCT,
    REJECT,
    START_US,
    STATE,
    TOTAL,
    Row,
    asset_plan,
    planned,
    rising,
    rows,
    steady,
    tag,
)

MACHINE = asset_plan(
    tag(STATE),
    tag(PRODUCT),
    tag(TOTAL, modulus=1000.0, max_rate_per_s=0.1),
    tag(REJECT, max_rate_per_s=0.1),
    tag(ENERGY, max_rate_per_s=0.01),
    cycles={1: 60.0, 2: 100.0},
)
SHIFTS = planned((-600, 100), (130, 400), (460, 3000))


def reached(
    plan: AssetPlan, by_tag: Mapping[int, Sequence[Row]], hour: int, hours: int = 1
) -> tuple[int, int]:
    """Return the hours [first, last) that the rows of some hours reach, counted from START."""
    start, end = START_US + hour * HOUR_US, START_US + (hour + hours) * HOUR_US
    first, last = reach(plan, _neighbourhood(plan, rows(by_tag), start, end), start, end)
    return (first - START_US) // HOUR_US, (last - START_US) // HOUR_US


def _neighbourhood(plan: AssetPlan, found: Rows, start: int, end: int) -> Rows:
    """Return the rows of [start, end) and those beside it that the database would give."""
    kept = (found.ts_us >= start) & (found.ts_us < end)
    for each in plan.tags:
        mine = found.tag_id == each.tag_id
        for order in (
            np.flatnonzero(mine & (found.ts_us < start))[::-1],
            np.flatnonzero(mine & (found.ts_us >= end)),
        ):
            value = found.value[order]
            good = (found.status[order] >= 0) & ~np.isnan(value)
            possible = good & (value >= 0) & (value < (each.modulus or np.inf))
            kept[order[:1]] = True
            kept[order[good][:1]] = True
            if each.role == "energy" or each.role.endswith("_count"):
                kept[order[possible][:NEIGHBOURS]] = True
    return found.take(kept)


def test_a_row_reaches_the_hours_of_its_neighbours_and_of_its_hold() -> None:
    by_tag = {STATE: steady(1, 0, 600), TOTAL: rising(0, 600, 15, 1)}
    assert reached(asset_plan(tag(STATE), tag(TOTAL)), by_tag, 5) == (4, 7)


def test_a_register_reaches_from_reading_to_reading() -> None:
    by_tag = {TOTAL: [(10, 0), (70, 1), (310, 5), (620, 9), (700, 9)]}
    assert reached(asset_plan(tag(TOTAL)), by_tag, 5) == (1, 11)


def test_the_last_row_speaks_into_hours_that_have_no_row() -> None:
    plan = asset_plan(tag(STATE, heartbeat_s=3600))
    assert reached(plan, {STATE: [(0, 1), (59, 1)]}, 0) == (0, 4)


def test_a_tag_that_was_silent_for_a_year_does_not_draw_the_year_into_every_hour() -> None:
    year = 365 * 24 * 60
    by_tag = {POWER: [(-year, 5)], REJECT: [(-year, 5)], STATE: steady(1, 0, 600)}
    plan = asset_plan(tag(POWER), tag(REJECT), tag(STATE))
    assert reached(plan, by_tag, 5) == (4, 7)


def test_the_late_row_of_a_silent_register_bridges_its_silence_once() -> None:
    day = 24 * 60
    by_tag = {REJECT: [(-30 * day, 5), (310, 9)], STATE: steady(1, -600, 600)}
    plan = asset_plan(tag(REJECT), tag(STATE))
    assert reached(plan, by_tag, 5) == (-30 * 24, 7)
    assert reached(plan, by_tag, 6) == (5, 8), "the hour after it does not look back"


def test_a_state_that_comes_when_it_is_due_takes_the_doubt_from_the_hours_before_it() -> None:
    plan = asset_plan(tag(STATE, heartbeat_s=7_200), tag(POWER))
    power = steady(5, 0, 600)
    assert reached(plan, {STATE: [(10, 1), (130, 1), (250, 1)], POWER: power}, 2)[0] == 0
    late = {STATE: [(10, 1), (310, 1)], POWER: power}
    assert reached(plan, late, 5)[0] == 4, "one that is overdue changes nothing before it"


def test_a_change_of_product_reaches_the_pieces_counted_around_it() -> None:
    plan = asset_plan(tag(PRODUCT), tag(TOTAL))
    by_tag = {PRODUCT: steady(1, 0, 600), TOTAL: [(0, 0), (130, 5), (440, 9), (600, 9)]}
    assert reached(plan, by_tag, 5) == (2, 8)


def test_hours_between_the_rows_of_an_asset_are_not_left_out() -> None:
    plan = asset_plan(tag(STATE))
    by_tag = {STATE: [(0, 1), (600, 1)]}
    assert reached(plan, by_tag, 10) == (0, 11)
    assert reached(plan, by_tag, 0) == (0, 11)


def test_hours_up_to_the_next_row_of_another_tag_are_not_left_out() -> None:
    plan = asset_plan(tag(STATE), tag(POWER))
    assert reached(plan, {STATE: [(0, 1)], POWER: [(600, 5)]}, 0) == (0, 10)
    assert reached(plan, {STATE: [(600, 1)], POWER: [(0, 5)]}, 10) == (0, 11)


def test_a_spike_reaches_the_readings_that_decide_about_it() -> None:
    plan = asset_plan(tag(TOTAL, max_rate_per_s=0.01))
    hourly = [(60 * hour, 10 * hour) for hour in range(12)]
    spiked = [*hourly[:6], (360, 5000), *hourly[7:]]
    assert reached(plan, {TOTAL: hourly}, 6) == (5, 8)
    assert reached(plan, {TOTAL: spiked}, 6) == (2, 10)


def widened(plan: AssetPlan, by_tag: Mapping[int, Sequence[Row]], hour: int) -> tuple[int, int]:
    """Return the hours [first, last) that change together with one, counted from START."""
    start, end = START_US + hour * HOUR_US, START_US + (hour + 1) * HOUR_US
    read = partial(_neighbourhood, plan, rows(by_tag))
    _, first, last = weighed(plan, start, end, read)
    return (first - START_US) // HOUR_US, (last - START_US) // HOUR_US


def test_what_a_reset_leaves_open_changes_in_all_hours_of_its_interval() -> None:
    total = [*rising(0, 120, 60, 9, 500), *rising(480, 1800, 60, 9)]
    plan = asset_plan(tag(TOTAL), tag(REJECT))
    together = {TOTAL: total, REJECT: rising(0, 1800, 15, 1)}
    assert [widened(plan, together, hour) for hour in (1, 5, 8, 9)] == [
        *[(1, 2), (2, 9), (2, 9), (9, 10)]
    ]
    # Registers that are not read together are weighed over more of their readings.
    apart = {TOTAL: total, REJECT: [(minute + 7, count) for minute, count in together[REJECT]]}
    assert widened(plan, apart, 5) == (0, 13)
    assert widened(plan, apart, 14) == (14, 15)


def test_resets_that_overlap_change_together() -> None:
    total = [*rising(0, 120, 60, 9, 500), *rising(480, 1200, 60, 9)]
    reject = [*rising(0, 420, 60, 3, 100), *rising(720, 1200, 60, 3)]
    plan = asset_plan(tag(TOTAL), tag(REJECT))
    assert widened(plan, {TOTAL: total, REJECT: reject}, 3) == (2, 13)


def test_a_register_that_falls_silent_changes_the_hour_of_its_end() -> None:
    by_tag = {TOTAL: rising(0, 900, 15, 1), REJECT: rising(0, 307, 7, 1)}
    plan = asset_plan(tag(TOTAL), tag(REJECT))
    # They were read together at 3:30; from then on the end at 5:01 is weighed.
    assert [widened(plan, by_tag, hour) for hour in (2, 4, 9)] == [(2, 3), (3, 6), (9, 10)]


Database = dict[int, dict[str, Any]]


def _refresh(plan: AssetPlan, table: Database, stored: Rows, hours: Iterable[int]) -> None:
    """Do to a table of facts what the job does: each dirty hour with all that it reaches."""
    for hour in sorted(hours):
        start, end = START_US + hour * HOUR_US, START_US + (hour + 1) * HOUR_US
        first, last = reach(plan, _neighbourhood(plan, stored, start, end), start, end)
        _, first, last = weighed(plan, first, last, partial(_neighbourhood, plan, stored))
        bearing = _bearing(plan, stored, first, last)
        _write(table, asset_facts(plan, bearing, SHIFTS, Window(first, last)))


def _bearing(plan: AssetPlan, stored: Rows, first: int, last: int) -> Rows:
    """Return the rows that the job reads for some hours."""
    beside = _neighbourhood(plan, stored, first, last)
    span = product_span(plan, beside, first, last)
    made = _neighbourhood(plan, stored.take(stored.tag_id == PRODUCT), *span)
    return stored.take(_among(stored, beside) | _among(stored, made))


def _among(stored: Rows, some: Rows) -> np.ndarray[Any, np.dtype[np.bool_]]:
    keys = set(zip(some.tag_id.tolist(), some.ts_us.tolist(), strict=True))
    pairs = zip(stored.tag_id.tolist(), stored.ts_us.tolist(), strict=True)
    return np.array([pair in keys for pair in pairs], np.bool_)


def _write(table: Database, found: Columns) -> None:
    for place, hour_us in enumerate(found["hour_us"].tolist()):
        table[hour_us] = {name: repr(column[place]) for name, column in found.items()}


def _from_scratch(plan: AssetPlan, stored: Rows) -> Database:
    table: Database = {}
    first = int(stored.ts_us.min()) // HOUR_US * HOUR_US
    last = int(stored.ts_us.max()) // HOUR_US * HOUR_US + HOUR_US
    bearing = _neighbourhood(plan, stored, first, last)
    first, last = reach(plan, bearing, first, last)
    _write(table, asset_facts(plan, stored, SHIFTS, Window(first, last)))
    return table


_register = st.one_of(
    st.integers(0, 40).map(float),
    st.sampled_from([None, -1.0, 0.0, 995.0, 998.0, 5000.0, 5002.0, 5004.0]),
)
_values = {
    STATE: st.one_of(st.none(), st.integers(0, 5)),
    PRODUCT: st.one_of(st.none(), st.integers(1, 3)),
    TOTAL: _register,
    REJECT: _register,
    ENERGY: _register,
}
_row = st.one_of(
    *(
        st.tuples(st.just(number), st.integers(0, 60).map(lambda n: n * 9), value)
        for number, value in _values.items()
    )
)


def _key(row: Row) -> Row:
    return row[:2]


# Pieces counted into an hour in which only the state changed, of a product told long before.
@example(
    [
        [(PRODUCT, 0, 2), (TOTAL, 180, 0.0), (REJECT, 0, 0.0), (REJECT, 63, 0.0)],
        [(STATE, 126, None), (PRODUCT, 9, 1), (TOTAL, 0, 1.0)],
    ]
)
@settings(max_examples=50, phases=[Phase.explicit, Phase.generate])
@given(st.lists(st.lists(_row, min_size=1, max_size=12, unique_by=_key), min_size=1, max_size=6))
def test_facts_come_out_alike_however_the_rows_arrive(batches: list[list[Row]]) -> None:
    stored: dict[tuple[int, int], float | None] = {}
    table: Database = {}
    for batch in batches:
        new = {(number, minute): value for number, minute, value in batch}
        stored = new | stored
        by_tag: dict[int, list[Row]] = {}
        for (number, minute), value in stored.items():
            by_tag.setdefault(number, []).append((minute, value))
        known = rows(by_tag)
        _refresh(MACHINE, table, known, {minute // 60 for _, minute in new})
    assert table == _from_scratch(MACHINE, known)
