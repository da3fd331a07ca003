"""Standard coal from entry meters: factors, bounds, and refusals in words."""

from datetime import date, datetime
from typing import Any

import pytest

from kpi.figures import Estimate
from kpi.figures.energy import energy
from store.registry import EnergyFactor, MonitoringPlan
from tests.kpi.builders import ENERGY, asset, monitoring_plan, tag
from tests.kpi.evidence import (
    MARCH,
    YEAR,
    Facts,
    bounds,
    each_day,
    evidence,
    metered,
    one,
)

MARCH_DAYS = (date(2026, 3, 1), date(2026, 4, 1))
PER_KWH, PER_KWH_EQUIVALENT, PER_MJ = 0.1229, 0.3055, 0.03412  # GB/T 2589-2020; NDRC for 2020


def meter(number: int, carrier: str, unit: str, level: int = 1) -> Any:
    """A meter of the site."""
    return asset(number, "meter", carrier=carrier, unit=unit, level=level)


def site(*meters: Any, certified: dict[str, float] | None = None, **fields: Any) -> MonitoringPlan:
    """A plan with meters, each with one register that the fields describe."""
    return monitoring_plan(
        assets=meters,
        tags=[
            tag(100 + each.asset_id, role="energy", asset_id=each.asset_id, **fields)
            for each in meters
        ],
        energy_factors=[
            EnergyFactor(carrier, factor, "certificate")
            for carrier, factor in (certified or {}).items()
        ],
    )


def coal(plan: MonitoringPlan, facts: dict[int, Facts], **more: Any) -> list[Estimate]:
    """Both standard coal figures of March."""
    return energy(evidence(plan, facts, **more), MARCH)


def whole_month(per_day: float) -> Facts:
    """A meter's facts of a complete March."""
    return each_day(*MARCH_DAYS, metered(per_day))


def test_electricity_counts_by_its_calorific_and_by_its_equivalent_value() -> None:
    found = coal(site(meter(1, "electricity", "kWh")), {1: whole_month(1_000)})
    assert bounds(one(found, "standard_coal")) == pytest.approx((31 * PER_KWH,) * 3)
    assert bounds(one(found, "standard_coal_equivalent"))[1] == pytest.approx(
        31 * PER_KWH_EQUIVALENT
    )
    assert found[0].inputs["quantities"] == {"electricity": pytest.approx(31_000)}
    assert found[0].coverage == 1


def test_entry_meters_add_up_and_meters_below_them_never_do() -> None:
    plan = site(
        meter(1, "electricity", "kWh"),
        meter(2, "electricity", "kWh"),
        meter(3, "electricity", "kWh", level=2),
        meter(4, "heat", "MJ"),
        meter(5, "heat", "MJ", level=3),
    )
    facts = {number: whole_month(1_000.0 * number) for number in range(1, 6)}
    found = coal(plan, facts)
    expected = 31 * (3 * PER_KWH + 4 * PER_MJ)
    assert bounds(one(found, "standard_coal"))[1] == pytest.approx(expected)


def test_the_coverage_of_a_meter_below_the_entry_does_not_matter() -> None:
    plan = site(meter(1, "electricity", "kWh"), meter(2, "electricity", "kWh", level=2))
    assert coal(plan, {1: whole_month(1_000)})[0].coverage == 1


def test_natural_gas_without_a_certificate_is_refused_in_words() -> None:
    found = coal(site(meter(1, "natural_gas", "m3")), {1: whole_month(100)})
    assert {each.point for each in found} == {None}
    assert all("only a range" in str(each.reason) for each in found)


def test_a_certified_factor_goes_before_the_table() -> None:
    gas = site(meter(1, "natural_gas", "m3"), certified={"natural_gas": 1.2143})
    found = coal(gas, {1: whole_month(100)})
    assert [bounds(each)[1] for each in found] == pytest.approx([3.1 * 1.2143] * 2)


def test_no_certificate_changes_the_calorific_value_of_electricity_or_heat() -> None:
    plan = site(
        meter(1, "electricity", "kWh"),
        meter(2, "heat", "MJ"),
        certified={"electricity": 0.28, "heat": 0.04},
    )
    found = coal(plan, {1: whole_month(1_000), 2: whole_month(1_000)})
    assert bounds(found[0])[1] == pytest.approx(31 * (PER_KWH + PER_MJ))
    assert bounds(found[1])[1] == pytest.approx(31 * (0.28 + 0.04))


@pytest.mark.parametrize(
    ("carrier", "unit"), [("electricity", "MWh"), ("heat", "GJ"), ("diesel", "m3")]
)
def test_a_meter_in_another_unit_than_its_factor_is_refused(carrier: str, unit: str) -> None:
    for found in coal(site(meter(1, carrier, unit)), {1: whole_month(100)}):
        assert found.point is None
        assert f"{carrier} is metered in {unit}" in str(found.reason)


def test_an_unknown_carrier_is_refused() -> None:
    found = coal(site(meter(1, "moonshine", "kg")), {1: whole_month(100)})
    assert "no carrier moonshine" in str(found[0].reason)


def test_hours_that_nobody_metered_open_both_bounds_and_take_the_mean_as_point() -> None:
    # Thirty days of 2400 kWh, one without; at most 0.05 kWh/s, that is 4320 kWh a day.
    plan = site(meter(1, "electricity", "kWh"), max_rate_per_s=0.05)
    facts = each_day(date(2026, 3, 1), date(2026, 3, 31), metered(2_400))
    found = one(coal(plan, {1: facts}), "standard_coal")
    low, point, high = (value / PER_KWH * 1000 for value in bounds(found))
    assert (low, point, high) == pytest.approx((72_000, 74_400, 76_320))
    assert found.coverage == pytest.approx(30 / 31)


def test_the_ratio_of_the_transformers_scales_the_largest_rate_and_the_least_step() -> None:
    plan = site(meter(1, "electricity", "kWh"), max_rate_per_s=0.05, ratio=80.0, resolution=0.5)
    facts = each_day(date(2026, 3, 1), date(2026, 3, 31), metered(2_400))
    found = one(coal(plan, {1: facts}), "standard_coal")
    low, point, high = (value / PER_KWH * 1000 for value in bounds(found))
    assert (low, point) == pytest.approx((72_000 - 40, 74_400))
    assert high == pytest.approx(72_000 + 0.05 * 80 * 86_400 + 40)


def test_without_a_largest_rate_the_mean_is_the_high_bound() -> None:
    facts = each_day(date(2026, 3, 1), date(2026, 3, 31), metered(2_400))
    found = one(coal(site(meter(1, "electricity", "kWh")), {1: facts}), "standard_coal")
    low, point, high = bounds(found)
    assert low < point == high


def test_what_a_reset_left_open_stays_open() -> None:
    facts = dict(whole_month(1_000)) | {date(2026, 3, 5): metered(1_000) | {"energy_high": 1_100}}
    found = one(coal(site(meter(1, "electricity", "kWh")), {1: facts}), "standard_coal")
    low, point, high = (value / PER_KWH * 1000 for value in bounds(found))
    assert (low, point, high) == pytest.approx((31_000, 31_000, 31_100))


def test_the_least_covered_entry_meter_decides() -> None:
    plan = site(meter(1, "electricity", "kWh"), meter(2, "electricity", "kWh"))
    facts = {
        1: whole_month(1_000),
        2: each_day(date(2026, 3, 1), date(2026, 3, 31), metered(10)),
    }
    assert coal(plan, facts)[0].coverage == pytest.approx(30 / 31)


def test_an_entry_meter_without_data_is_named() -> None:
    plan = site(meter(1, "electricity", "kWh"), meter(2, "electricity", "kWh"))
    found = coal(plan, {1: whole_month(1_000)})
    assert [each.reason for each in found] == ["entry meter A02 has no data in the period"] * 2


def test_a_site_without_entry_meter_has_no_figure() -> None:
    found = coal(site(meter(1, "electricity", "kWh", level=2)), {1: whole_month(1_000)})
    assert [each.reason for each in found] == ["no entry meter is registered"] * 2


def test_a_gap_over_the_end_of_the_month_may_lie_on_either_side() -> None:
    gap = ("2026-03-31T21:00", "2026-04-01T02:00")
    found = one(
        coal(site(meter(1, "electricity", "kWh")), {1: whole_month(1_000)}, gap=gap),
        "standard_coal",
    )
    low, point, high = (value / PER_KWH * 1000 for value in bounds(found))
    assert (low, point, high) == pytest.approx((30_700, 31_000, 31_200))


def test_an_open_month_goes_up_to_the_last_full_hour() -> None:
    until = datetime.fromisoformat("2026-03-11T06:00:00+08:00")
    facts = dict(each_day(date(2026, 3, 1), date(2026, 3, 11), metered(2_400)))
    facts[date(2026, 3, 11)] = metered(600, hours=6)
    found = coal(site(meter(1, "electricity", "kWh")), {1: facts}, until=until)
    assert found[0].coverage == 1
    assert found[0].inputs["quantities"]["electricity"] == pytest.approx(24_600)


def test_before_its_first_full_hour_a_month_has_no_figure() -> None:
    until = datetime.fromisoformat("2026-03-01T00:00:00+08:00")
    found = coal(site(meter(1, "electricity", "kWh")), {}, until=until)
    assert found[0].reason == "no hour of the period has ended"


def test_a_year_adds_its_months_up() -> None:
    facts = {1: each_day(date(2025, 4, 1), date(2026, 4, 1), metered(1_000))}
    found = energy(evidence(site(meter(1, "electricity", "kWh")), facts), YEAR)
    assert bounds(found[0])[1] == pytest.approx(365 * PER_KWH)


def test_the_tag_that_is_no_register_has_no_say() -> None:
    plan = monitoring_plan(
        assets=[meter(1, "electricity", "kWh")],
        tags=[tag(ENERGY, asset_id=1), tag(7, asset_id=1, resolution=99.0, max_rate_per_s=9.0)],
    )
    low, point, high = bounds(one(coal(plan, {1: whole_month(1_000)}), "standard_coal"))
    assert low == point == high
