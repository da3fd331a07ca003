"""Standard coal at the site's boundary."""

import pytest

from kpi.errors import NotComputable
from kpi.formulas.energy import EnergyItem, site_electricity, site_meters, standard_coal


def test_published_conversion_of_electricity() -> None:
    """10 000 kWh are 1.229 tce in calorific value (GB/T 2589-2020, Annex A)."""
    assert standard_coal([EnergyItem("electricity", 10_000, 0.1229)]).tce == pytest.approx(1.229)


def test_a_measured_heating_value_goes_before_a_factor() -> None:
    """29 307 kJ are 1 kgce by definition."""
    gas = EnergyItem("natural_gas", 1000, factor_kgce_per_unit=1.33, lhv_kj_per_unit=29_307)
    assert standard_coal([gas]).tce == 1


def test_sold_energy_is_subtracted() -> None:
    found = standard_coal([EnergyItem("coal", 1000, 0.7143), EnergyItem("heat", -5000, 0.03412)])
    assert found.items_tce == pytest.approx((0.7143, -0.1706))
    assert found.tce == pytest.approx(0.5437)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [EnergyItem("mystery", 1)],
        [EnergyItem("electricity", -1, 0.1229)],
        [EnergyItem("electricity", 1, 0)],
        [EnergyItem("gas", 1, lhv_kj_per_unit=-5)],
        [EnergyItem("gas", float("nan"), 1.33)],
    ],
    ids=["none", "no factor", "negative total", "zero factor", "negative LHV", "no quantity"],
)
def test_standard_coal_refuses(items: list[EnergyItem]) -> None:
    with pytest.raises(NotComputable):
        standard_coal(items)


def test_own_renewables_are_shown_both_ways() -> None:
    found = site_electricity(18_000_000, 200_000, 1_500_000, 0.1229)
    assert found.use_kwh == 19_300_000
    assert found.tce_with_own == pytest.approx(2371.97)
    assert found.tce_purchased_only == pytest.approx(2187.62)


def test_export_beyond_all_supply_is_refused() -> None:
    assert site_electricity(100, 600, 1000, 0.1229).tce_purchased_only < 0
    with pytest.raises(NotComputable, match="export"):
        site_electricity(100, 1101, 1000, 0.1229)
    with pytest.raises(NotComputable, match="import"):
        site_electricity(-1, 0, 0, 0.1229)


def test_sub_meters_explain_and_never_add() -> None:
    found = site_meters([60_000, 40_000], [50_000, 45_000], 0.1229)
    assert found.tce == pytest.approx(12.29)
    assert found.unmetered_share == pytest.approx(0.05)


def test_sub_meters_above_the_entry_stay_visible() -> None:
    found = site_meters([100_000], [110_000], 0.1229)
    assert found.tce == pytest.approx(12.29)
    assert found.unmetered_share == pytest.approx(-0.1)


def test_a_site_without_entry_meter_is_refused() -> None:
    with pytest.raises(NotComputable, match="entry meter"):
        site_meters([], [100], 0.1229)
    assert site_meters([0], [], 0.1229).unmetered_share is None
