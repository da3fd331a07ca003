"""How KPIs are shown."""

from typing import get_args

import pytest

from api import kpis
from api.formats import kpi_value


def test_the_table_has_each_kpi_once() -> None:
    listed = [kpi.kpi_id for kpi in kpis.KPIS]
    assert sorted(listed) == sorted(get_args(kpis.KpiId))


@pytest.mark.parametrize(
    ("kpi_id", "stored", "shown", "unit"),
    [
        ("oee", 0.746, "74.6", "%"),
        ("defect_rate", 0.0105, "1.05", "%"),
        ("inventory_turnover", 4.8, "480.0", "%"),
        ("standard_coal", 5320.04, "5,320.0", "tce"),
        ("networked_equipment", 22.0, "22", "units"),
        ("oee", None, "—", "%"),
        ("oee", 0.0, "0.0", "%"),
    ],
)
def test_a_stored_value_is_shown_in_the_unit_of_the_form(
    kpi_id: str, stored: float | None, shown: str, unit: str
) -> None:
    kpi = kpis.by_id(kpi_id)
    assert (kpi_value(kpi, stored), kpi.shown_unit("en")) == (shown, unit)


def test_fewer_defects_less_coal_fewer_people_and_shorter_cycles_are_better() -> None:
    down = {kpi.kpi_id for kpi in kpis.KPIS if kpi.better == "down"}
    coal = {each for each in down if each.startswith("standard_coal")}
    energy = {"energy_intensity", "energy_intensity_value"}
    assert len(coal) == 4
    assert down == {"defect_rate", *coal, *energy, "headcount", "rd_cycle"}


def test_pages_list_kpis_in_one_order_whatever_order_they_come_in() -> None:
    some = ["on_time_delivery", "oee", "not_a_kpi", "defect_rate"]
    assert [kpi.kpi_id for kpi in kpis.ordered(some)] == ["oee", "defect_rate", "on_time_delivery"]
    assert kpis.place("oee") < kpis.place("networked_equipment") < kpis.place("not_a_kpi")
