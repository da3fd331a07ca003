"""The shipped coefficient tables, and what a wrong table is told."""

import pytest

from kpi.errors import BadTable, NotComputable
from kpi.factors import (
    coefficient,
    coefficients,
    electricity_equivalent,
    electricity_equivalents,
    parse_coefficients,
    parse_electricity_equivalents,
)
from store.energy_carriers import CARRIERS

HEADER = (
    "carrier,name_zh,name_en,annex,unit,lhv_low_kj,lhv_high_kj,factor_low_kgce,factor_high_kgce,"
    "factor_confidence,lhv_confidence,reference\n"
)
ROW = "diesel,柴油,diesel,A.1,kg,42705,42705,1.4571,1.4571,high,high,GB/T 2589-2020 Table A.1\n"
YEARS = "year,gce_per_kwh,confidence,reference\n"


def test_published_factors() -> None:
    """GB/T 2589-2020: raw coal 0.7143, diesel 1.4571, electricity 0.1229, fresh water 0.2571."""
    wanted = {
        "raw_coal": 0.7143,
        "diesel": 1.4571,
        "electricity_calorific": 0.1229,
        "heat_calorific": 0.03412,
        "fresh_water": 0.2571,
    }
    assert {name: coefficient(name).kgce_per_unit for name in wanted} == wanted
    assert len(coefficients()) == 41


def test_a_range_asks_for_a_measured_value() -> None:
    assert coefficient("natural_gas").is_range
    with pytest.raises(NotComputable, match="measured heating value"):
        _ = coefficient("natural_gas").kgce_per_unit


def test_an_unknown_carrier_is_refused() -> None:
    with pytest.raises(NotComputable, match="unobtainium"):
        coefficient("unobtainium")


def test_the_equivalent_value_is_that_of_the_year_before() -> None:
    """NDRC: 305.5 g/kWh in 2020."""
    found = electricity_equivalent(2021)
    assert (found.year, found.kgce_per_kwh) == (2020, 0.3055)
    latest = max(electricity_equivalents())
    assert electricity_equivalent(latest + 5).year == latest
    with pytest.raises(NotComputable):
        electricity_equivalent(min(electricity_equivalents()))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEADER + ROW + ROW, "twice"),
        (HEADER + ROW.replace(",kg,", ",litre,"), "unit"),
        (HEADER + ROW.replace("GB/T 2589-2020 Table A.1", ""), "reference"),
        (HEADER + ROW.replace("high,high", "high,certain"), "lhv_confidence"),
        (HEADER + ROW.replace("1.4571", "0.7143"), "does not follow"),
        (HEADER + ROW.replace("42705,", "?,", 1), "column"),
        (HEADER.replace(",reference", "") + ROW, "column"),
        (HEADER + ROW.replace("1.4571,", "1.6,", 1), "in order"),
    ],
)
def test_wrong_coefficient_tables_are_told_why(text: str, told: str) -> None:
    with pytest.raises(BadTable, match=told):
        parse_coefficients(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2020,305.5,high,NDRC\n2020,305.5,high,NDRC\n", "twice"),
        ("2020,0.3055,high,NDRC\n", "no coal consumption"),
        ("2020,305.5,high,\n", "reference"),
        ("2020,305.5,sure,NDRC\n", "confidence"),
        ("last,305.5,high,NDRC\n", "no year"),
    ],
)
def test_wrong_yearly_tables_are_told_why(text: str, told: str) -> None:
    with pytest.raises(BadTable, match=told):
        parse_electricity_equivalents(YEARS + text)


def test_what_a_plan_may_state_holds_what_the_tables_say() -> None:
    for name, row in coefficients().items():
        carrier = CARRIERS[{"heat_calorific": "heat"}.get(name, name).removesuffix("_calorific")]
        assert carrier.unit == row.unit, name
        assert carrier.least_kgce <= row.factor_low_kgce, name
        assert row.factor_high_kgce <= carrier.most_kgce, name
    electricity = CARRIERS["electricity"]
    for each in electricity_equivalents().values():
        assert electricity.least_kgce < each.kgce_per_kwh < electricity.most_kgce
