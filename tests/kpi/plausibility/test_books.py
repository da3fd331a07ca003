"""Rules on books, edits, identities and digits."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from kpi.plausibility import Case
from kpi.plausibility.digits import chance_of_eight, chance_of_nine
from store.findings import Edit
from tests.kpi.builders import asset
from tests.kpi.plausibility.cases import at, case, one, reason, record, severities


def _bill(taken: float, returned: float = 0) -> Case:
    job = record("J1", {"product": 1, "quantity_good": 90, "quantity_scrap": "10"})
    moves = [
        record(key, {"direction": way, "material": "S1", "quantity": kg, "work_order": "W1"})
        for key, way, kg in (("M1", "out", taken), ("M2", "in", returned))
    ]
    records = {"job": [job], "stock_move": moves}
    return case(bills={("1", "S1"): 2.0}, records=records)


def test_p13_output_that_needs_more_material_than_was_taken() -> None:
    found = one("P13", _bill(180))
    assert found.severity == "fail"
    assert found.measured == pytest.approx(20 / 180)
    assert severities("P13", _bill(203)) == {"pass"}
    assert severities("P13", _bill(230, 28)) == {"pass"}
    assert reason("P13", case()) == "no_bill"
    assert reason("P13", case(bills={("1", "S1"): 2.0})) == "no_material_moves"


def _stocked(shipped: Any, closing: Any = 50) -> Case:
    def stock(day: str, quantity: Any) -> Any:
        return record(day, {"day": day, "category": "finished", "quantity": quantity})

    lot = {"operation": "final", "total": 110, "scrap": 8, "rework": "2"}
    odd = [{}, 5, ["2026-03-04"], ["2026-03-04", 10**400]]
    line = {"quantity": 200, "shipments": [["2026-03-04", shipped], ["2026-02-01", 900], *odd]}
    records = {
        "stock_balance": [stock("2026-03-01", 70), stock("2026-03-08", closing)],
        "inspection": [record("L1", lot)],
        "order_line": [record("O1", line)],
    }
    return case(records=records)


def test_p14_output_that_neither_stock_nor_shipments_show() -> None:
    found = one("P14", _stocked(60))
    assert (found.severity, found.measured) == ("fail", 0.6)
    assert found.shown == ({"record": "order_line", "key": "O1"},)
    assert severities("P14", _stocked(120)) == {"pass"}
    assert severities("P14", _stocked("119")) == {"pass"}
    assert reason("P14", _stocked(120, None)) == "no_stock_quantity"
    assert reason("P14", _stocked("nan")) == "no_stock_quantity"
    assert reason("P14", _stocked(120, "nan")) == "no_stock_quantity"


def _edited(hours_later: float) -> Case:
    edit = Edit("inspection", "L1:final", 2, at(1), at(1) + timedelta(hours=hours_later))
    return case(records={"inspection": [record("L1:final", {})]}, edits=[edit])


def test_p18_an_inspection_that_was_changed_after_a_week() -> None:
    found = one("P18", _edited(168))
    assert (found.severity, found.measured) == ("review", 168)
    assert found.shown == ({"record": "inspection", "key": "L1:final"},)
    assert severities("P18", _edited(24)) == {"pass"}
    assert reason("P18", case()) == "no_settled_record"


def test_p20_two_machines_with_one_serial_number_or_address() -> None:
    twins = case(assets=[asset(1, serial="SN-1"), asset(2, serial="sn-1 ")])
    found = one("P20", twins)
    assert (found.severity, found.measured) == ("fail", 2)
    assert found.shown == ({"asset": "A01"}, {"asset": "A02"})
    single = [asset(1, serial="SN-1"), asset(2, serial="SN-2")]
    assert severities("P20", case(assets=single)) == {"pass"}
    together = [replace(each, address="192.0.2.7") for each in single]
    assert severities("P20", case(assets=together)) == {"fail"}
    registers = [asset(number, "meter", serial="SN-9") for number in (3, 4)]
    assert severities("P20", case(assets=[*single, *registers])) == {"pass"}
    assert reason("P20", case()) == "no_serial"


def _typed(values: list[str], origin: str = "manual") -> Case:
    rows = [{"characteristic": "d", "value": value} for value in values]
    lot = record("L1", {"origin": origin, "measurements": rows})
    return case(records={"inspection": [lot]})


def _real(count: int) -> list[str]:
    return [f"{value:.3f}" for value in np.random.default_rng(5).normal(12.5, 0.2, count)]


def test_p10_typed_values_that_love_a_last_digit() -> None:
    invented = [f"12.{number % 50:02}{(3, 7, 7, 8)[number % 4]}" for number in range(400)]
    assert severities("P10", _typed(invented)) == {"review"}
    assert severities("P10", _typed(_real(400))) == {"pass"}
    assert reason("P10", _typed(invented[:299])) == "too_few_typed"


def test_p10_says_nothing_of_devices() -> None:
    assert reason("P10", _typed(["12.007"] * 400, origin="device")) == "too_few_typed"


def test_p12_typed_values_that_are_mostly_round() -> None:
    rounded = [f"12.{number % 20 * 5:02}" for number in range(60)] + _real(60)
    assert severities("P12", _typed(rounded)) == {"review"}
    assert severities("P12", _typed(_real(200))) == {"pass"}
    assert reason("P12", _typed(_real(99))) == "too_few_typed"


def _invoiced(amounts: Any) -> Case:
    found = [record(f"I{n}", {"amount_yuan": amount}) for n, amount in enumerate(amounts)]
    return case(records={"energy_invoice": found})


def test_p11_amounts_that_do_not_follow_benford() -> None:
    rng = np.random.default_rng(7)
    assert severities("P11", _invoiced(rng.uniform(500, 999, 400).tolist())) == {"review"}
    assert severities("P11", _invoiced((10 ** rng.uniform(2, 6, 400)).tolist())) == {"pass"}
    assert reason("P11", _invoiced([100.0] * 20)) == "too_few_invoices"


def test_chances_are_those_of_the_tables_of_chi_squared() -> None:
    assert chance_of_nine(16.919) == pytest.approx(0.05, abs=1e-5)
    assert chance_of_nine(27.877) == pytest.approx(0.001, abs=1e-6)
    assert chance_of_eight(15.507) == pytest.approx(0.05, abs=1e-5)
    assert chance_of_eight(26.124) == pytest.approx(0.001, abs=1e-6)
