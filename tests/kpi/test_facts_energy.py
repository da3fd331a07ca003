"""Energy of meters by hour, with bounds."""

import numpy as np
import pytest

from kpi.facts.basis import FLAG_BRIDGED, FLAG_RESET, FLAG_ROLLOVER, FLAG_SPIKE
from tests.kpi.builders import BAD, ENERGY, STATE, asset_plan, facts, rising, steady, tag


def energies(found: dict[str, np.ndarray]) -> list[tuple[float, float, float]]:
    """Energy by hour as (low, point, high)."""
    columns = (found[name].tolist() for name in ("energy_low", "energy", "energy_high"))
    return list(zip(*columns, strict=True))


def test_the_ratio_of_the_transformers_gives_primary_energy() -> None:
    found = facts(asset_plan(tag(ENERGY, ratio=80.0)), {ENERGY: rising(0, 120, 15, 0.5)}, hours=2)
    assert energies(found) == [(160, 160, 160), (160, 160, 160)]


def test_a_register_rolls_over_in_register_units() -> None:
    plan = asset_plan(tag(ENERGY, ratio=10.0, modulus=1000.0, max_rate_per_s=0.01))
    found = facts(plan, {ENERGY: [(0, 990), (60, 5)]})
    assert energies(found) == [(150, 150, 150)]
    assert found["flags"][0] & FLAG_ROLLOVER


def test_a_gap_is_bridged_by_the_register() -> None:
    found = facts(asset_plan(tag(ENERGY)), {ENERGY: [(0, 0), (180, 60)]}, hours=3)
    assert energies(found) == [(20, 20, 20)] * 3
    assert (found["flags"] & FLAG_BRIDGED).all()


def test_hours_without_readings_have_no_energy_rather_than_zero() -> None:
    found = facts(asset_plan(tag(ENERGY)), {}, hours=2)
    assert np.isnan(found["energy"]).all()
    assert np.isnan(found["energy_low"]).all()
    assert np.isnan(found["energy_high"]).all()


def test_one_reading_gives_no_energy() -> None:
    assert np.isnan(facts(asset_plan(tag(ENERGY)), {ENERGY: [(30, 5)]})["energy"]).all()


def test_an_hour_that_the_readings_do_not_span_whole_has_none() -> None:
    # The meter was fitted at minute 30 of the first hour and read last at minute 150.
    found = facts(asset_plan(tag(ENERGY)), {ENERGY: rising(30, 150, 15, 1)}, hours=3)
    assert np.isnan(found["energy"]).tolist() == [True, False, True]
    assert found["energy"][1] == 4


def test_a_machine_without_an_energy_register_has_none() -> None:
    assert np.isnan(facts(asset_plan(tag(STATE)), {STATE: steady(1, 0, 60)})["energy"]).all()


def test_what_was_used_before_a_reset_is_at_most_the_largest_rate() -> None:
    # Replaced meter: the old one stood at 5000, the new one begins at zero.
    plan = asset_plan(tag(ENERGY, ratio=2.0, max_rate_per_s=0.01))
    found = facts(plan, {ENERGY: [(0, 5000), (20, 5003), (40, 1), (60, 4)]})
    assert energies(found) == [(14, 14, 14 + 1200 * 0.01 * 2)]
    assert found["flags"][0] == FLAG_RESET


def test_a_meter_replaced_by_one_that_stands_higher_adds_no_energy() -> None:
    plan = asset_plan(tag(ENERGY, max_rate_per_s=0.01))
    rows = [(0, 100), (15, 103), (30, 90_000), (45, 90_003), (60, 90_006)]
    found = facts(plan, {ENERGY: rows})
    assert energies(found) == [(9, 9, 9 + 900 * 0.01)]
    assert found["flags"][0] == FLAG_SPIKE


def test_a_reset_without_a_largest_rate_leaves_its_hours_unknown() -> None:
    rows = [*rising(0, 60, 15, 1, 500), *rising(75, 180, 15, 1)]
    found = facts(asset_plan(tag(ENERGY)), {ENERGY: rows}, hours=3)
    assert np.isnan(found["energy"]).tolist() == [False, True, False]
    assert found["energy"][[0, 2]].tolist() == [4, 4]


@pytest.mark.parametrize("row", [(30, None), (30, 3.0, BAD)], ids=str)
def test_rows_without_a_good_value_are_passed_over(row: tuple[float, float | None]) -> None:
    plan = asset_plan(tag(ENERGY, modulus=1000.0, max_rate_per_s=0.01))
    found = facts(plan, {ENERGY: [(0, 100), row, (60, 110)]})
    assert energies(found) == [(10, 10, 10)]
    assert not found["flags"][0] & FLAG_SPIKE


@pytest.mark.parametrize("value", [-1.0, 2000.0, 900.0], ids=["negative", "modulus", "spike"])
def test_a_reading_that_the_register_cannot_show_is_kept_out_with_a_wider_bound(
    value: float,
) -> None:
    plan = asset_plan(tag(ENERGY, modulus=1000.0, max_rate_per_s=0.01))
    found = facts(plan, {ENERGY: [(0, 100), (15, 104), (30, value), (60, 110)]})
    # Six units from 0:15 to 1:00 are in doubt, the four before are not.
    assert energies(found) == [(4, 10, 16)]
    assert found["flags"][0] & FLAG_SPIKE
