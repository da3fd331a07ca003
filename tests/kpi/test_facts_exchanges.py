"""Registers through meter exchanges that are on record: nothing is lost and nothing is made up."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from kpi.facts.basis import FLAG_RESET
from store.meters import Exchange
from tests.kpi.builders import ENERGY, START, asset_plan, facts, rising, tag


def exchange(minute: float, old_final: float, new_initial: float, ratio: float) -> Exchange:
    """An exchange so many minutes after the start."""
    return Exchange(START + timedelta(minutes=minute), old_final, new_initial, ratio)


def energies(found: dict[str, Any]) -> list[tuple[float, float, float]]:
    """Energy by hour as (low, point, high)."""
    columns = (found[name].tolist() for name in ("energy_low", "energy", "energy_high"))
    return list(zip(*columns, strict=True))


def test_an_exchanged_meter_counts_on_without_a_reset() -> None:
    # The old one goes from 5000 to 5006, of which readings show 5004; the new one from 10 on.
    plan = asset_plan(tag(ENERGY, max_rate_per_s=0.01, exchanges=(exchange(30, 5006, 10, 1.0),)))
    rows = [(0, 5000), (15, 5002), (25, 5004), (35, 11), (45, 13), (60, 16)]
    found = facts(plan, {ENERGY: rows})
    assert energies(found) == [(12, 12, 12)]
    assert found["flags"][0] & FLAG_RESET == 0


def test_each_meter_counts_with_the_multiplier_of_its_own_time() -> None:
    # 80 before the transformers were exchanged, 120 after: today's never reaches back.
    changed = exchange(60, 4, 4, 120.0)
    plan = asset_plan(tag(ENERGY, ratio=80.0, exchanges=(changed,)))
    found = facts(plan, {ENERGY: rising(0, 120, 15, 1.0)}, hours=2)
    assert energies(found) == [(320, 320, 320), (480, 480, 480)]


def test_a_meter_that_stands_higher_than_the_old_one_adds_no_jump() -> None:
    plan = asset_plan(tag(ENERGY, exchanges=(exchange(30, 102, 90_000, 1.0),)))
    found = facts(plan, {ENERGY: [(0, 100), (20, 101), (40, 90_001), (60, 90_002)]})
    assert energies(found) == [(4, 4, 4)]


def test_two_exchanges_between_two_readings() -> None:
    changes = (exchange(20, 101, 7, 2.0), exchange(40, 8, 50, 1.0))
    plan = asset_plan(tag(ENERGY, exchanges=changes))
    # 1 x 1 up to minute 20, 2 x 1 by the meter that nobody read, 1 x 2 after it.
    found = facts(plan, {ENERGY: [(0, 100), (60, 52)]})
    assert energies(found) == [(5, 5, 5)]


def test_a_record_that_contradicts_the_readings_leaves_a_gap_instead_of_energy() -> None:
    # The old meter cannot have ended at 50 after it showed 101.
    plan = asset_plan(tag(ENERGY, exchanges=(exchange(30, 50, 0, 1.0),)))
    found = facts(plan, {ENERGY: [(0, 100), (20, 101), (40, 1), (60, 2), (120, 5)]}, hours=2)
    assert np.isnan(found["energy"]).tolist() == [True, False]
    assert found["energy"][1] == 3


def test_the_hours_after_an_exchange_do_not_depend_on_how_much_is_read() -> None:
    plan = asset_plan(tag(ENERGY, max_rate_per_s=0.1, exchanges=(exchange(90, 6, 1000, 3.0),)))
    rows = rising(0, 90, 15, 1.0)[:-1] + [
        (minute, 1000 + (minute - 90) / 15) for minute in range(105, 481, 15)
    ]
    whole = facts(plan, {ENERGY: rows}, hours=8)
    for hour in range(2, 7):
        near = [row for row in rows if hour * 60 - 60 <= row[0] <= hour * 60 + 120]
        part = facts(plan, {ENERGY: near}, hours=1, first_hour=hour)
        assert part["energy"][0] == whole["energy"][hour] == 12


def test_the_largest_multiplier_bounds_what_a_reset_may_hide() -> None:
    changed = exchange(60, 4.5, 0, 5.0)
    plan = asset_plan(tag(ENERGY, ratio=2.0, max_rate_per_s=0.01, exchanges=(changed,)))
    rows = [(0, 6), (20, 8), (40, 1), (59, 4), (120, 3)]
    low, point, high = energies(facts(plan, {ENERGY: rows}, hours=2))[0]
    assert low == point == pytest.approx((2 + 1 + 3 + 0.5) * 2)
    assert high == pytest.approx(point + 1200 * 0.01 * 5)
