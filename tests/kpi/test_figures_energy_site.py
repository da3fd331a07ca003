"""Standard coal of sites with exports, own generation, media, stock, tariffs and dated factors."""

from datetime import date
from typing import Any

import pytest

from kpi.figures import Estimate
from kpi.figures.energy import energy
from store.meters import EnergyPlan, EnergyStock, Meter
from store.records import StoredRecord
from store.registry import EnergyFactor, MonitoringPlan
from tests.kpi.builders import asset, monitoring_plan, tag
from tests.kpi.evidence import (
    MARCH,
    YEAR,
    Facts,
    bounds,
    each_day,
    evidence,
    metered,
    one,
    record,
)

MARCH_DAYS = (date(2026, 3, 1), date(2026, 4, 1))
YEAR_DAYS = (date(2025, 4, 1), date(2026, 4, 1))
PER_KWH = 0.1229  # GB/T 2589-2020


def meter(number: int, carrier: str = "electricity", unit: str = "kWh", level: int = 1) -> Any:
    """A meter of the site."""
    return asset(number, "meter", carrier=carrier, unit=unit, level=level)


def site(
    *meters: Any,
    registers: dict[int, Meter] | None = None,
    factors: tuple[EnergyFactor, ...] = (),
    resolution: float = 0.0,
    **fields: Any,
) -> MonitoringPlan:
    """A plan with meters, each with one register."""
    plan = monitoring_plan(
        assets=meters,
        tags=[
            tag(100 + each.asset_id, role="energy", asset_id=each.asset_id, resolution=resolution)
            for each in meters
        ],
        energy_factors=factors,
    )
    object.__setattr__(plan, "energy", EnergyPlan(meters=registers or {}, **fields))
    return plan


def coal(plan: MonitoringPlan, per_day: dict[int, float]) -> list[Estimate]:
    """The figures of March, of meters that count the same each day."""
    return energy(evidence(plan, {number: whole(each) for number, each in per_day.items()}), MARCH)


def whole(per_day: float) -> Facts:
    """A meter's facts of a complete March."""
    return each_day(*MARCH_DAYS, metered(per_day))


def point(estimates: list[Estimate], kpi: str = "standard_coal") -> float:
    """The point of a figure."""
    return bounds(one(estimates, kpi))[1]


def test_what_was_exported_is_no_consumption() -> None:
    plan = site(meter(1), meter(2), registers={2: Meter("export")})
    found = coal(plan, {1: 1_000, 2: 100})
    assert point(found) == pytest.approx(31 * 0.9 * PER_KWH)


def test_own_renewables_are_shown_both_ways() -> None:
    """18 GWh in, 0.2 GWh out, 1.5 GWh own: 2371.97 tce with them, 2187.62 tce without."""
    plan = site(
        meter(1),
        meter(2),
        meter(3),
        registers={2: Meter("export"), 3: Meter(origin="own_renewable")},
    )
    found = coal(plan, {1: 18e6 / 31, 2: 0.2e6 / 31, 3: 1.5e6 / 31})
    assert point(found) == pytest.approx(2371.97)
    assert point(found, "standard_coal_purchased") == pytest.approx(2187.62)


def test_a_site_without_own_renewables_has_no_second_figure() -> None:
    found = coal(site(meter(1)), {1: 1_000})
    assert [each.kpi for each in found] == ["standard_coal", "standard_coal_equivalent"]


def test_more_out_than_in_is_refused() -> None:
    plan = site(meter(1), meter(2), registers={2: Meter("export")})
    assert "negative" in str(coal(plan, {1: 100, 2: 200})[0].reason)


def test_the_bounds_of_an_export_go_the_other_way() -> None:
    plan = site(meter(1), meter(2), registers={2: Meter("export")}, resolution=10.0)
    low, _, high = (each / PER_KWH * 1000 for each in bounds(coal(plan, {1: 1_000, 2: 100})[0]))
    assert (low, high) == pytest.approx((27_900 - 20, 27_900 + 20))


def test_purchased_media_stand_beside_and_never_inside() -> None:
    """GB/T 2589-2020 Annex B: oxygen 0.4 kgce/m3, fresh water 0.2571 kgce/t."""
    plan = site(meter(1), meter(2, "oxygen", "m3"), meter(3, "fresh_water", "t"))
    found = coal(plan, {1: 1_000, 2: 50, 3: 20})
    assert point(found) == pytest.approx(31 * PER_KWH)
    media = 31 * (50 * 0.4 + 20 * 0.2571) / 1000
    assert point(found, "standard_coal_with_media") == pytest.approx(31 * PER_KWH + media)
    assert "A02" in found[0].inputs["not_counted"]


def test_a_silent_water_meter_costs_only_the_figure_with_media() -> None:
    found = coal(site(meter(1), meter(3, "fresh_water", "t")), {1: 1_000})
    assert point(found) == pytest.approx(31 * PER_KWH)
    with_media = one(found, "standard_coal_with_media")
    assert with_media.reason == "entry meter A03 has no data in the period"


def test_own_produced_media_are_never_counted_again() -> None:
    own = {2: Meter(origin="own_produced"), 3: Meter(origin="own_produced")}
    plan = site(meter(1), meter(2, "compressed_air", "m3"), meter(3, "heat", "MJ"), registers=own)
    found = coal(plan, {1: 1_000, 2: 9_000, 3: 9_000})
    assert [each.kpi for each in found] == ["standard_coal", "standard_coal_equivalent"]
    assert point(found) == pytest.approx(31 * PER_KWH)
    assert sorted(found[0].inputs["not_counted"]) == ["A02", "A03"]


DIESEL_PER_KG = 1.4571
STOCKS = (
    EnergyStock("diesel", date(2026, 3, 1), 500.0, "stocktaking"),
    EnergyStock("diesel", date(2026, 4, 1), 800.0, "stocktaking"),
)


def test_fuel_that_went_into_stock_was_not_used() -> None:
    plan = site(meter(1, "diesel", "kg"), stocks=STOCKS)
    found = coal(plan, {1: 100})
    assert point(found) == pytest.approx((3_100 - 300) * DIESEL_PER_KG / 1000)


def test_without_the_closing_stock_nobody_knows_the_use() -> None:
    found = coal(site(meter(1, "diesel", "kg"), stocks=STOCKS[:1]), {1: 100})
    assert found[0].reason == "the stock of diesel on 2026-04-01 is missing; file it"


TARIFFS = {2: Meter("tariff", above="A01"), 3: Meter("tariff", above="A01")}


def test_tariffs_that_add_up_change_nothing() -> None:
    found = coal(site(meter(1), meter(2), meter(3), registers=TARIFFS), {1: 100, 2: 60, 3: 40})
    assert bounds(found[0]) == pytest.approx((3.1 * PER_KWH,) * 3)
    assert found[0].inputs["tariffs"]["A01"]["agrees"] is True


@pytest.mark.parametrize(("peak", "low", "high"), [(70, 3_100, 3_410), (50, 2_790, 3_100)])
def test_tariffs_that_do_not_add_up_widen_the_bounds(peak: float, low: float, high: float) -> None:
    plan = site(meter(1), meter(2), meter(3), registers=TARIFFS)
    found = coal(plan, {1: 100, 2: peak, 3: 40})[0]
    least, middle, most = (each / PER_KWH * 1000 for each in bounds(found))
    assert (least, middle, most) == pytest.approx((low, 3_100, high))
    assert found.inputs["tariffs"]["A01"]["agrees"] is False


def test_a_least_step_may_keep_tariffs_and_total_apart() -> None:
    plan = site(meter(1), meter(2), meter(3), registers=TARIFFS, resolution=1.0)
    found = coal(plan, {1: 100, 2: 60.05, 3: 40})[0]
    assert found.inputs["tariffs"]["A01"]["agrees"] is True


def test_a_tariff_without_data_is_no_agreement() -> None:
    found = coal(site(meter(1), meter(2), meter(3), registers=TARIFFS), {1: 100, 2: 60})[0]
    assert found.inputs["tariffs"]["A01"]["agrees"] is None
    assert bounds(found)[1] == pytest.approx(3.1 * PER_KWH)


def test_sub_meters_explain_the_entry_and_more_than_that_is_impossible() -> None:
    plan = site(meter(1), meter(2, level=2), meter(3, level=2))
    sane, impossible = (coal(plan, {1: 100, 2: 60, 3: each})[0] for each in (20, 70))
    assert sane.inputs["sub_meters"]["electricity"] == {
        "explained": pytest.approx(0.8),
        "possible": True,
    }
    assert impossible.inputs["sub_meters"]["electricity"]["possible"] is False
    assert bounds(impossible)[1] == pytest.approx(3.1 * PER_KWH)


def test_a_measured_heating_value_goes_before_a_certificate() -> None:
    """29 307 kJ are 1 kgce by definition."""
    factors = (
        EnergyFactor("natural_gas", 1.2143, "supplier"),
        EnergyFactor("natural_gas", None, "laboratory", lhv_kj_per_unit=35_168.4),
    )
    found = coal(site(meter(1, "natural_gas", "m3"), factors=factors), {1: 1_000})
    assert point(found) == pytest.approx(31 * 1.2)
    assert found[0].inputs["lines"][0]["factor"] == "measured"
    assert found[0].inputs["lines"][0]["source"] == "laboratory"


def test_the_reference_factor_names_its_edition() -> None:
    line = coal(site(meter(1, "diesel", "kg")), {1: 1})[0].inputs["lines"][0]
    assert (line["factor"], line["source"]) == ("reference", "GB/T 2589-2020, Table A.1")


def test_each_month_counts_with_the_heating_value_that_held_then() -> None:
    factors = (
        EnergyFactor("natural_gas", None, "lab 1", 29_307.0, date(2025, 4, 1), date(2025, 10, 1)),
        EnergyFactor("natural_gas", None, "lab 2", 35_168.4, date(2025, 10, 1), None),
    )
    plan = site(meter(1, "natural_gas", "m3"), factors=factors)
    found = energy(evidence(plan, {1: each_day(*YEAR_DAYS, metered(1_000))}), YEAR)
    assert point(found) == pytest.approx(183 * 1.0 + 182 * 1.2)
    assert len(found[0].inputs["lines"]) == 2


def test_a_month_for_which_no_factor_was_stated_has_no_figure() -> None:
    factors = (EnergyFactor("natural_gas", 1.2, "lab", None, date(2025, 10, 1), None),)
    plan = site(meter(1, "natural_gas", "m3"), factors=factors)
    found = energy(evidence(plan, {1: each_day(*YEAR_DAYS, metered(1_000))}), YEAR)
    assert "only a range" in str(found[0].reason)


def test_the_equivalent_value_of_each_year_stands_beside_the_fixed_one() -> None:
    """Nine months of 2025 by the value of 2023, the newest before; three of 2026 as well."""
    plan = site(meter(1))
    found = energy(evidence(plan, {1: each_day(*YEAR_DAYS, metered(1_000))}), YEAR)
    fixed = one(found, "standard_coal_equivalent")
    assert bounds(fixed)[1] == pytest.approx(365 * 0.3055)
    assert fixed.inputs["by_year"]["tce"] == pytest.approx(365 * 0.3016)


def test_a_plan_may_take_each_years_own_equivalent_value() -> None:
    plan = site(meter(1), equivalent="by_year")
    found = energy(evidence(plan, {1: each_day(*YEAR_DAYS, metered(1_000))}), YEAR)
    dated = one(found, "standard_coal_equivalent")
    assert bounds(dated)[1] == pytest.approx(365 * 0.3016)
    assert [line["months"] for line in dated.inputs["lines"]] == [
        ["2025-04-01", "2026-01-01"],
        ["2026-01-01", "2026-04-01"],
    ]
    assert point(found) == pytest.approx(365 * PER_KWH)


def invoice(first: str, last: str, quantity: Any, lhv_mj: Any, **fields: Any) -> StoredRecord:
    """An invoice of natural gas."""
    body = {
        "carrier": "natural_gas",
        "first_day": first,
        "last_day": last,
        "quantity": quantity,
        "lower_heating_value_mj": lhv_mj,
        **fields,
    }
    return record(first, date.fromisoformat(last), body)


def billed(*invoices: StoredRecord, certified: float = 1.1) -> list[Estimate]:
    """The figures of March of a site that burns 1000 m3 a day and has a certified factor too."""
    factors = (EnergyFactor("natural_gas", certified, "supplier"),)
    plan = site(meter(1, "natural_gas", "m3"), factors=factors)
    given = evidence(plan, {1: whole(1_000)}, records={"energy_invoice": invoices})
    return energy(given, MARCH)


def test_the_heating_value_of_invoices_is_weighted_by_what_was_billed() -> None:
    found = billed(
        invoice("2026-03-01", "2026-03-10", "10000", 29.307),
        invoice("2026-03-11", "2026-03-31", 30_000, "35.1684"),
    )
    assert point(found) == pytest.approx(31 * (10 * 1.0 + 30 * 1.2) / 40)
    assert found[0].inputs["lines"][0]["source"] == "measured by the supplier: 2 invoices"


def test_invoices_in_other_units_are_turned_into_that_of_the_meter() -> None:
    found = billed(
        invoice("2026-03-01", "2026-03-10", 1, 293_070, unit="万m3"),
        invoice("2026-03-11", "2026-03-31", 30_000 / 1.0732, 35.1684 * 1.0732, unit="Nm3"),
    )
    assert point(found) == pytest.approx(31 * (10 * 1.0 + 30 * 1.2) / 40)


@pytest.mark.parametrize(
    "given",
    [
        invoice("2026-03-01", "2026-03-31", 10_000, 35.1684, unit="kg"),
        invoice("2026-03-01", "2026-03-10", 10_000, 35.1684),
        invoice("2026-03-01", "2026-03-31", 10_000, None),
        invoice("2026-03-01", "2026-03-31", 10_000, 351.684),
        invoice("2026-02-15", "2026-03-14", 10_000, 35.1684),
    ],
    ids=[
        "unit of another kind",
        "a third of the month",
        "no value",
        "impossible value",
        "other days",
    ],
)
def test_invoices_that_do_not_measure_the_month_leave_the_certificate(given: StoredRecord) -> None:
    found = billed(given)
    assert point(found) == pytest.approx(31 * 1.1)
    assert found[0].inputs["lines"][0]["factor"] == "certified"
