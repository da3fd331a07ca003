"""What makes two years incomparable, and what does not."""

from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import pytest

from api.kpis import KPIS
from kpi.policy import policies
from kpi.verdicts import differences
from kpi.verdicts.comparability import SHALL_FALL, turned
from store.figures import Figure

POLICY = policies()[0]


def figure(kpi: str, **changed: Any) -> Figure:
    """A figure; only its KPI and versions matter here."""
    fields: dict[str, Any] = {
        "figure_id": 1, "factory_id": 1, "kpi": kpi, "period_kind": "rolling12",
        "period_start": date(2026, 1, 1), "period_end": date(2027, 1, 1), "revision": 1,
        "unit": "1", "point": 0.8, "low": 0.8, "high": 0.8, "coverage": 1.0, "grade": "A",
        "reason": None, "method_version": "M1", "coefficient_version": "C1", "inputs": {},
        "inputs_sha256": b"", "computed_at": datetime(2027, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return Figure(**fields | changed)


def basis() -> dict[str, Any]:
    """What a year rests on; change it freely."""
    return {
        "devices": ["M01", "M02"],
        "cycles": {"M01": {"1": 60.0, "2": 90.0}, "M02": {"1": 60.0}},
        "calendar": ["1 08:00:00 28800"],
        "meters": {"EM01": ["electricity", "kWh", 80.0]},
        "planned_down_share": 0.02,
        "mix": {"M01": [75.0, 1000.0], "M02": [60.0, 1000.0]},
    }


def found(kpi: str, now: dict[str, Any], **changed: Any) -> list[tuple[str, str]]:
    """The differences from the plain basis and figure."""
    apart = differences((figure(kpi), basis()), (figure(kpi, **changed), now), POLICY)
    return [(each.what, each.text) for each in apart]


@pytest.mark.parametrize("kpi", ["oee", "defect_rate", "standard_coal", "networked_equipment"])
def test_the_same_ground_is_comparable(kpi: str) -> None:
    assert found(kpi, basis()) == []


def test_another_method_is_not_comparable() -> None:
    assert found("defect_rate", basis(), method_version="M2") == [("method", "M1 → M2")]


def test_other_coefficients_matter_to_standard_coal_alone() -> None:
    assert found("standard_coal", basis(), coefficient_version="C2") == [
        ("coefficients", "C1 → C2")
    ]
    assert found("oee", basis(), coefficient_version="C2") == []


@pytest.mark.parametrize(
    ("key", "value", "what", "text"),
    [
        ("devices", ["M01", "M03"], "devices", "− M02; + M03"),
        ("cycles", {"M01": {"1": 30.0, "2": 90.0}}, "ideal_cycles", "M01 1: 60 s → 30 s"),
        ("calendar", ["1 08:00:00 43200"], "calendar", "− 1 08:00:00 28800; + 1 08:00:00 43200"),
        ("planned_down_share", 0.071, "planned_downtime", "2.0% → 7.1%"),
        ("mix", {"M01": [37.5, 500.0], "M02": [60.0, 500.0]}, "product_mix", "25% > 20%"),
    ],
)
def test_equipment_is_compared_on_the_same_ground_only(
    key: str, value: Any, what: str, text: str
) -> None:
    now = basis() | {key: value}
    assert found("oee", now) == [(what, text)]
    assert found("on_time_delivery", now) == [], "it says nothing about deliveries"


@pytest.mark.parametrize(
    ("meters", "what", "text"),
    [
        ({"EM02": ["electricity", "kWh", 80.0]}, "boundary", "− EM01; + EM02"),
        (
            {"EM01": ["electricity", "kWh", 40.0]},
            "meters",
            "EM01: electricity kWh 80.0 → electricity kWh 40.0",
        ),
    ],
)
def test_energy_is_compared_inside_one_boundary_with_the_same_meters_only(
    meters: dict[str, Any], what: str, text: str
) -> None:
    now = basis() | {"meters": meters}
    assert found("standard_coal_equivalent", now) == [(what, text)]
    assert found("oee", now) == []


def test_what_changes_little_is_comparable() -> None:
    now = deepcopy(basis())
    now["planned_down_share"] = 0.069
    now["mix"]["M01"] = [68.0, 900.0]
    now["cycles"]["M01"]["3"] = 45.0
    assert found("oee", now) == [], "a new product changes no cycle"


def test_a_year_without_data_differs_in_nothing_that_is_not_known() -> None:
    now = basis() | {"planned_down_share": None, "mix": {}}
    assert found("oee", now) == []


def test_many_differences_are_counted_and_the_first_named() -> None:
    now = basis() | {"devices": [f"M{number:02}" for number in range(1, 11)]}
    assert found("oee", now) == [("devices", "+ M03; + M04; + M05; + M06; + M07; … 3")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["press"], ["press"], []),
        (["press", "robot"], ["robot"], [("product_mix", "− press")]),
        (["press"], ["robot"], [("product_mix", "− press; + robot")]),
        ([""], ["robot"], []),
        ([], ["robot"], []),
    ],
)
def test_development_cycles_of_unlike_products_are_not_comparable(
    before: list[str], after: list[str], expected: list[tuple[str, str]]
) -> None:
    years = (figure("rd_cycle", inputs={"classes": each}) for each in (before, after))
    old, new = years
    apart = differences((old, basis()), (new, basis()), POLICY)
    assert [(each.what, each.text) for each in apart] == expected


def test_what_shall_fall_is_what_pages_call_better_when_lower() -> None:
    assert {each.kpi_id for each in KPIS if each.better == "down"} == SHALL_FALL


@pytest.mark.parametrize(
    ("kpi", "declared", "measured", "expected", "is_turned"),
    [
        ("oee", 0.6, 0.7, 0.8, False),
        ("oee", 0.6, 0.85, 0.8, True),
        ("oee", 0.6, 0.8, 0.8, False),
        ("oee", None, 0.7, 0.8, False),
        ("oee", None, 0.85, 0.8, True),
        ("defect_rate", None, 0.03, 0.04, True),
        ("defect_rate", None, 0.05, 0.04, False),
        ("defect_rate", 0.04, 0.03, 0.04, True),
        # Whoever grows may promise to use more.
        ("standard_coal", 4000.0, 4500.0, 5000.0, False),
        ("standard_coal", 4000.0, 5500.0, 5000.0, True),
    ],
)
def test_a_promise_goes_its_own_way_also_from_what_was_measured(
    kpi: str, declared: float | None, measured: float, expected: float, is_turned: bool
) -> None:
    found = [each.what for each in turned(kpi, declared, measured, expected)]
    assert found == (["direction"] if is_turned else [])
