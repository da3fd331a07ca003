"""Business records: what is accepted under which key and time, and how a refusal reads."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.documents import NotDecoded, parse
from collectors.records import FieldFault, NotAccepted, to_record
from kpi.figures.records import KINDS as READ
from kpi.figures.records import business
from simulators import scenarios
from simulators.gateway import RECORDS
from simulators.plant import build
from store.energy_carriers import UNITS
from store.record_kinds import KINDS, all_kinds
from store.records import StoredRecord
from store.units import billed_in
from tests.collectors.records.samples import KEYS, SAMPLES, TIMES

ZONE = ZoneInfo("Asia/Shanghai")
LINE = SAMPLES["order_line"]


def faults(kind: str, document: Any) -> dict[str, str]:
    """Return what is wrong with a document, by field."""
    with pytest.raises(NotAccepted) as refused:
        to_record(kind, document, ZONE)
    return {fault.path: fault.reason for fault in refused.value.faults}


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_kept_as_it_came_under_its_natural_key(kind: str) -> None:
    record = to_record(kind, SAMPLES[kind], ZONE)
    assert record.body == SAMPLES[kind]
    assert (record.kind, record.key, record.at.isoformat()) == (kind, KEYS[kind], TIMES[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_each_field_that_must_be_there_is_missed(kind: str) -> None:
    """The records of the samples hold what is required: without a field of it, it is named."""
    found = faults(kind, {})
    required = {path for path, reason in found.items() if reason == "is missing"}
    assert required
    for name in required:
        document = {field: value for field, value in SAMPLES[kind].items() if field != name}
        assert faults(kind, document) == {name: "is missing"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_system_may_send_more_than_the_schema_names(kind: str) -> None:
    document = SAMPLES[kind] | {"备注": "急", "extra": {"a": [1, None]}}
    assert to_record(kind, document, ZONE).body == document


def test_a_whole_number_beyond_every_quantity_is_refused_before_it_is_a_record() -> None:
    for digits in ("1" * 41, "-" + "9" * 400):
        with pytest.raises(NotDecoded, match="is no number that can be stored"):
            parse(f'{{"quantity": {digits}}}'.encode())
    assert parse(b'{"quantity": 123456789012345678}') == {"quantity": 123456789012345678}


@pytest.mark.parametrize("given", [float("nan"), float("inf"), 1e31, 10**400])
def test_a_number_that_no_quantity_is_names_its_field(given: float) -> None:
    found = faults("order_line", LINE | {"quantity": given})["quantity"]
    assert "is no number from -1e+30 to 1e+30" in found
    wrong = faults("order_line", LINE | {"shipments": [["2026-03-09", given]]})
    assert "is no number from" in wrong["shipments.0.1"]


def test_the_unit_of_an_invoice_is_one_that_a_meter_may_count_in() -> None:
    invoice = SAMPLES["energy_invoice"]
    assert faults("energy_invoice", invoice | {"unit": "gallon"})["unit"].startswith(
        '"gallon" is not allowed'
    )
    for kind in all_kinds():
        for unit in kind.schema["properties"].get("unit", {}).get("enum", ()):
            assert any(billed_in(counted, unit) for counted in UNITS), unit


def test_a_refused_record_says_which_field_and_why() -> None:
    with pytest.raises(NotAccepted) as refused:
        to_record("order_line", LINE | {"quantity": -3}, ZONE)
    assert str(refused.value) == "order_line: quantity: -3 is less than 0"
    assert refused.value.faults == (FieldFault("quantity", "-3 is less than 0"),)


@pytest.mark.parametrize(
    ("kind", "changed", "path", "reason"),
    [
        ("order_line", {"quantity": "many"}, "quantity", '"many" is not a number that is not'),
        ("order_line", {"quantity": "-3"}, "quantity", '"-3" is not a number that is not less'),
        ("order_line", {"quantity": True}, "quantity", "is true, it must be a number"),
        ("order_line", {"quantity": None}, "quantity", "is null, it must be a number"),
        ("order_line", {"due": "10.03.2026"}, "due", "is not a date such as 2026-03-31"),
        ("order_line", {"due": "2026-02-30"}, "due", "is not a date"),
        ("order_line", {"confirmed": ["x"]}, "confirmed.0", "is not a date"),
        ("order_line", {"confirmed": "2026-03-01"}, "confirmed", "it must be a list"),
        ("order_line", {"shipments": [["2026-03-01"]]}, "shipments.0", "must have 2 entries"),
        ("order_line", {"shipments": [["2026-03-01", -1]]}, "shipments.0.1", "-1 is less than 0"),
        ("order_line", {"line": ""}, "line", "must not be empty"),
        ("order_line", {"line": 1.5}, "line", "it must be a text or a whole number"),
        ("inspection", {"inspected_at": "noon"}, "inspected_at", "is not a time such as"),
        ("stock_balance", {"category": "Raw"}, "category", 'did you mean "raw"?'),
        ("stock_balance", {"category": "x"}, "category", "allowed: raw, wip, finished"),
        ("cogs", {"month": "2026-13"}, "month", '"2026-13" is not a month such as 2026-03'),
        ("headcount", {"employees": 3.5}, "employees", "it must be a whole number"),
        ("headcount", {"employees": -1}, "employees", "-1 is less than 0"),
        (
            "plan_operation",
            {"ends_at": "2026-03-02T07:00:00+08:00"},
            "ends_at",
            '"2026-03-02T07:00:00+08:00" lies before starts_at ("2026-03-02T08:00:00+08:00")',
        ),
    ],
)
def test_what_does_not_fit(kind: str, changed: dict[str, Any], path: str, reason: str) -> None:
    found = faults(kind, SAMPLES[kind] | changed)
    assert set(found) == {path}
    assert reason in found[path]


def test_every_wrong_field_is_named_at_once() -> None:
    assert set(faults("order_line", LINE | {"quantity": -1, "due": "x", "line": None})) == {
        "quantity",
        "due",
        "line",
    }


def test_a_line_needs_one_date_or_the_other() -> None:
    document = {"line": "SO1", "quantity": 5}
    assert faults("order_line", document) == {"": "one of due, confirmed must be given"}
    assert faults("order_line", document | {"due": None, "confirmed": []}) == {
        "": "there is neither due nor confirmed.0 in the payload"
    }
    confirmed = to_record("order_line", document | {"confirmed": ["2026-03-05"]}, ZONE)
    assert confirmed.at.isoformat() == "2026-03-05T00:00:00+08:00"


def test_only_the_last_inspection_needs_its_quantities() -> None:
    document = {"lot": "L1", "operation": "turning", "inspected_at": "2026-03-01T08:00:00"}
    assert to_record("inspection", document, ZONE).key == "L1:turning"
    assert set(faults("inspection", document | {"operation": "final"})) == {
        "total",
        "scrap",
        "rework",
        "passed_first",
    }


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\udfff"])
def test_what_no_database_can_hold_is_refused(text: str) -> None:
    reason = {"": "a text holds a character that cannot be stored"}
    assert faults("order_line", LINE | {"order": text}) == reason
    assert faults("order_line", LINE | {text: 1}) == reason
    assert faults("order_line", LINE | {"more": [{"deep": text}]}) == reason


def test_an_unknown_kind_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(NotAccepted, match='no record kind "inspektion"; did you mean "inspection"'):
        to_record("inspektion", {}, ZONE)


def test_a_key_that_no_index_holds_is_refused() -> None:
    assert faults("order_line", LINE | {"line": "x" * 201}) == {
        "": "line: a key has at most 200 characters"
    }


def test_a_rule_may_name_key_and_time_of_its_own() -> None:
    document = LINE | {"id": {"n": 17}, "created": "2026-02-01T08:00:00Z"}
    record = to_record("order_line", document, ZONE, key="id.n", at="created")
    assert (record.key, record.at.isoformat()) == ("17", "2026-02-01T08:00:00+00:00")


def test_a_time_from_a_broken_clock_is_refused() -> None:
    assert faults("order_line", LINE | {"due": "1890-01-01"}) == {
        "": "due lies outside the years 1970 to 2200"
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_any_value_in_any_field_is_accepted_or_refused_in_words(value: Any) -> None:
    for field in LINE:
        told = ["accepted"]
        try:
            to_record("order_line", LINE | {field: value}, ZONE)
        except NotAccepted as refused:
            told = [fault.reason for fault in refused.faults]
        assert told
        assert all(told)


def test_what_the_business_systems_send_is_accepted_and_read_as_it_was_before() -> None:
    """Of every kind many versions, under the keys and times that the gateway file names."""
    plant = build(scenarios.load("machining"), datetime.fromisoformat("2026-03-10T10:37:20+08:00"))
    stored: dict[str, list[StoredRecord]] = {kind: [] for kind in (*READ, *RULES)}
    for number, event in enumerate(plant.events):
        if number % 23 and event.kind not in MONTHLY:
            continue
        record = to_record(event.kind, event.body, ZONE, *RULES[event.kind])
        assert record.key == event.key
        stored[event.kind].append(StoredRecord(record.key, 1, record.at, record.body))
    assert all(len(stored[kind]) > 5 for kind in RULES)
    # No weather station stands at the plants; degree days come from elsewhere.
    assert set(READ) - {"degree_days"} <= set(RULES)
    read = {kind: stored[kind] for kind in READ}
    assert business(read, "Asia/Shanghai").unreadable == ()


RULES = {kind: (key, at) for _, kind, key, at in RECORDS}
# Of these there are few, so that each is looked at.
MONTHLY = ("stock_balance", "cogs", "headcount", "output_value", "energy_invoice", "rd_project")
