"""JSON messages: what becomes a sample or a record, and what is refused with which reason."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.mqtt.settings import MqttRecord, MqttTag
from collectors.sample import Sample, to_us
from collectors.status import (
    BAD_NO_DATA,
    BAD_OUT_OF_RANGE,
    BAD_TYPE_MISMATCH,
    CODES,
    GOOD,
    UNCERTAIN,
)
from tests.collectors.mqtt.decoding import RECEIVED, Reader, source

RULE = MqttRecord(topic="t", kind="order_line", key="line", at="due")


def reader(value: str | None = "v", ts: str | None = None, **keys: Any) -> Reader:
    return Reader(source(tags=(MqttTag(tag="T", topic="t", value=value, ts=ts, **keys),)))


def sample(document: Any, value: str | None = "v", ts: str | None = None, **keys: Any) -> Sample:
    (found,) = reader(value, ts, **keys).read(document).samples
    return found


def recording() -> Reader:
    return Reader(source(records=(RULE,)))


@pytest.mark.parametrize(
    ("document", "path", "value"),
    [
        ({"v": 1.5}, "v", 1.5),
        ({"v": True}, "v", 1.0),
        ({"v": False}, "v", 0.0),
        ({"a": {"b": [10, {"c": 7}]}}, "a.b.1.c", 7.0),
        ({"a": {"b": [10, {"c": 7}]}}, "a.b[1].c", 7.0),
        ({"a.b": {"c d": 8}}, '"a.b"."c d"', 8.0),
        ({"1": 9}, "1", 9.0),
        (42, None, 42.0),
    ],
)
def test_a_value_by_path(document: Any, path: str | None, value: float) -> None:
    assert sample(document, path) == Sample("T", RECEIVED, value, GOOD)


def test_null_is_no_value() -> None:
    assert sample({"v": None}) == Sample("T", RECEIVED, None, BAD_NO_DATA)


@pytest.mark.parametrize(
    ("document", "path", "reason"),
    [
        ({"v": "12"}, "v", "t: v is a text, not a number or boolean"),
        ({"v": [1]}, "v", "t: v is a list, not a number or boolean"),
        ({"a b": 3}, None, "t: the payload is an object, not a number or boolean"),
    ],
)
def test_a_value_that_is_no_number_is_bad_and_told_once(
    document: Any, path: str | None, reason: str
) -> None:
    found = reader(path).read(document).read(document)
    assert found.samples == [Sample("T", RECEIVED, None, BAD_TYPE_MISMATCH)] * 2
    assert found.reasons == [reason]


@pytest.mark.parametrize("document", [{"w": 1}, [1], 5, {"v.": 1}])
def test_a_message_without_the_value_is_refused(document: Any) -> None:
    found = reader().read(document).read({"v": 2}).read(document)
    assert [one.value for one in found.samples] == [2.0]
    assert found.reasons == ["t: there is no v in the payload"] * 2


@pytest.mark.parametrize("content", [b'{"v": 1e999}', b'{"v": NaN}', b'{"v": -Infinity}'])
def test_a_number_that_is_none_is_out_of_range_and_costs_no_other(content: bytes) -> None:
    tags = tuple(MqttTag(tag=name, topic="t", value=name) for name in "vw")
    found = Reader(source(tags=tags)).read(content[:-1] + b', "w": 1}')
    wrong, right = found.samples
    assert right == Sample("w", RECEIVED, 1.0, GOOD)
    assert wrong.value is None or wrong.value in (float("inf"), float("-inf"))


def test_an_integer_beyond_all_floats_costs_no_other() -> None:
    tags = tuple(MqttTag(tag=name, topic="t", value=name) for name in "vw")
    found = Reader(source(tags=tags)).read({"v": 10**400, "w": 2**40})
    assert [one.value for one in found.samples] == [float("inf"), 2.0**40]


def test_numeric_looking_serial_numbers_are_not_turned_into_lossy_numbers() -> None:
    """A text is a number only where the file says so; then it must be one entirely."""
    assert sample({"v": "00123456789012345678"}).value is None
    assert sample({"v": " 12.50 "}, parse="number").value == 12.5
    for text in ("0x10", "1_000", "12,5", "nan", "1e999", "", "１２"):
        found = reader(parse="number").read({"v": text})
        assert found.samples == [Sample("T", RECEIVED, None, BAD_TYPE_MISMATCH)]
    kept = {"line": 12345678901234567890, "quantity": "5.10", "due": "2026-03-10"}
    record = recording().read(kept).records[0]
    assert record.key == "12345678901234567890"
    assert record.body == kept


def test_scale_and_offset() -> None:
    assert sample({"v": 200}, scale=0.1, offset=-5.0).value == pytest.approx(15.0)
    tags = (
        MqttTag(tag="plain", topic="t", value="p"),
        MqttTag(tag="scaled", topic="t", value="s", scale=1000.0),
    )
    found = Reader(source(tags=tags)).read({"p": 1, "s": 2})
    assert {one.tag: one.value for one in found.samples} == {"plain": 1.0, "scaled": 2000.0}


def test_states_by_name() -> None:
    found = reader(states={"RUN": 1, "Set up": 2})
    for name in ("run", "SET_UP", "wobble", "wobble", 1, None):
        found.read({"v": name})
    assert [(one.value, one.status) for one in found.samples] == [
        (1.0, GOOD),
        (2.0, GOOD),
        (None, BAD_OUT_OF_RANGE),
        (None, BAD_OUT_OF_RANGE),
        (None, BAD_TYPE_MISMATCH),
        (None, BAD_NO_DATA),
    ]
    assert found.reasons == [
        't: v: the state "wobble" is not among its states',
        "t: v is a number, not the name of a state",
    ]
    assert sample({"v": "Execute"}, states="packml").value == 6.0


@pytest.mark.parametrize(
    ("quality", "codes", "status"),
    [
        (True, "opc", GOOD),
        (False, "opc", CODES["Bad"]),
        ("Good", "opc", GOOD),
        ("GOOD", "opc", GOOD),
        ("uncertain", "opc", UNCERTAIN),
        ("BadSensorFailure", "opc", CODES["BadSensorFailure"]),
        (192, "opc", GOOD),
        (216, "opc", GOOD),
        (64, "opc", UNCERTAIN),
        (0, "opc", CODES["Bad"]),
        (0, "opcua", GOOD),
        (0x808C0000, "opcua", CODES["BadSensorFailure"]),
        (CODES["BadSensorFailure"], "opcua", CODES["BadSensorFailure"]),
    ],
)
def test_quality_becomes_a_status_and_bad_has_no_value(
    quality: Any, codes: str, status: int
) -> None:
    found = sample({"v": 5, "q": quality}, quality="q", quality_codes=codes)
    assert found.status == status
    assert found.value == (5.0 if status in (GOOD, UNCERTAIN) else None)


@pytest.mark.parametrize("quality", ["fine", 1000, 1.5, None, {}, 128])
def test_a_quality_that_nobody_knows_is_refused(quality: Any) -> None:
    found = reader(quality="q").read({"v": 5, "q": quality})
    assert found.samples == []
    assert "is not known" in found.reasons[0]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T08:00:00+08:00", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T00:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T08:00:00", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01 08:00:00.250", datetime(2026, 3, 1, microsecond=250_000, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 2, 28, 16, tzinfo=UTC)),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    assert sample({"v": 1, "at": text}, ts="at").ts_us == to_us(moment)


@pytest.mark.parametrize(
    ("number", "unit"),
    [(1_772_323_200.25, "s"), (1_772_323_200_250, "ms"), (1_772_323_200_250_000, "us")],
)
def test_times_as_numbers(number: float, unit: str) -> None:
    wanted = to_us(datetime(2026, 3, 1, microsecond=250_000, tzinfo=UTC))
    assert sample({"v": 1, "at": number}, ts="at", ts_unit=unit).ts_us == wanted


@pytest.mark.parametrize("time", ["yesterday", "", "2026-13-01", 1_772_323_200, None, True])
def test_what_is_no_time_is_refused_and_never_taken_as_now(time: Any) -> None:
    found = reader(ts="at").read({"v": 1, "at": time})
    assert found.samples == []
    assert len(found.reasons) == 1


@pytest.mark.parametrize("time", ["1772323200", None, True, 1e300, 10**400, -1, 1_772_323_200_000])
def test_what_is_no_number_of_seconds_is_refused(time: Any) -> None:
    found = reader(ts="at", ts_unit="s").read({"v": 1, "at": time})
    assert found.samples == []
    assert len(found.reasons) == 1


def test_a_record_keeps_the_document() -> None:
    document = {"line": "SO1-1", "due": "2026-03-10", "quantity": 5, "备注": "急"}
    (record,) = recording().read(document).records
    assert (record.kind, record.key, record.body) == ("order_line", "SO1-1", document)
    assert record.at == datetime(2026, 3, 10, tzinfo=timezone(timedelta(hours=8)))
    assert datetime.fromisoformat(record.at.isoformat()).isoformat() == record.at.isoformat()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "a list, not an object"),
        ({"due": "2026-03-10"}, "line: is missing; quantity: is missing"),
        ({"line": "", "quantity": 5, "due": "2026-03-10"}, "line: must not be empty"),
        ({"line": True, "quantity": 5, "due": "2026-03-10"}, "line: is true, it must be a text"),
        ({"line": 1.5, "quantity": 5, "due": "2026-03-10"}, "line: is 1.5, it must be a text"),
        ({"line": "A", "quantity": 5, "confirmed": ["2026-03-10"]}, "there is no due"),
    ],
)
def test_a_record_that_does_not_fit(document: Any, reason: str) -> None:
    found = recording().read(document)
    assert found.records == []
    assert reason in found.reasons[0]


BROKEN = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b"\xff", "not UTF-8"),
    (b"\xed\xa0\x80", "not UTF-8"),
    (b'{"a": ["\\u0000"], "v": 1}', "cannot be stored"),
    (b'{"\\ud800": 1, "v": 1}', "cannot be stored"),
    (b'{"a": {"b": "\\udc00"}, "v": 1}', "cannot be stored"),
    (b'{"v": 1, "v": 2}', '"v" stands twice in one object'),
    (b'{"v": 1, "a": [{"\\ud83d": 1, "\\ud83d": 2}]}', "stands twice"),
    (b"[" * 100_000, "not JSON"),
    (b'{"v": ' + b"9" * 5000 + b"}", "not JSON"),
    (b'{"v": 1, "x": "' + b"x" * 200_000 + b'"}', "more than max_payload_kb"),
]


@pytest.mark.parametrize(("payload", "reason"), BROKEN)
def test_what_a_database_cannot_hold_is_refused(payload: bytes, reason: str) -> None:
    tags = (MqttTag(tag="T", topic="t", value="v"),)
    for rules in ({"tags": tags}, {"records": (RULE,)}):
        found = Reader(source(max_payload_kb=150, **rules)).read(payload)
        assert (found.samples, found.records) == ([], [])
        assert reason in found.reasons[0]
        found.reasons[0].encode()


@pytest.mark.parametrize(
    "payload",
    [
        b'{"line": "A", "x": NaN}',
        b'{"line": "A", "x": 1e999}',
        b'{"x": ' + b"[" * 200 + b"]" * 200 + b"}",
    ],
)
def test_a_record_is_stored_whole_or_not_at_all(payload: bytes) -> None:
    found = recording().read(payload)
    assert found.records == []
    assert "is no number" in found.reasons[0] or "nested deeper" in found.reasons[0]


def test_escapes_that_can_be_stored_are() -> None:
    document = {"line": "工厂 😀", "quantity": 1, "due": "2026-03-10"}
    assert recording().read(json.dumps(document).encode()).records[0].body == document


def test_one_value_that_is_missing_or_wrong_does_not_cost_the_others() -> None:
    tags = tuple(MqttTag(tag=name, topic="t", value=f"data.{name}", ts="at") for name in "abc")
    at = "2026-03-01T00:00:00Z"
    found = Reader(source(tags=tags))
    for data in ({"a": 1, "b": "x", "c": 3}, {"a": 4}, {"a": 5, "b": 6, "c": 7}):
        found.read({"at": at, "data": data})
    assert [(one.tag, one.value) for one in found.samples] == [
        *(("a", 1.0), ("b", None), ("c", 3.0)),
        ("a", 4.0),
        *(("a", 5.0), ("b", 6.0), ("c", 7.0)),
    ]
    assert found.reasons == [
        "t: data.b is a text, not a number or boolean",
        "t: there is no data.b in the payload",
        "t: there is no data.c in the payload",
    ]


def test_a_retained_value_without_a_time_gets_none() -> None:
    tags = (
        MqttTag(tag="timeless", topic="t", value="v"),
        MqttTag(tag="timed", topic="t", value="v", ts="at"),
    )
    found = Reader(source(tags=tags)).read({"v": 1, "at": "2026-03-01"}, retained=True)
    assert [one.tag for one in found.samples] == ["timed"]


numbers = st.one_of(
    st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False)
)


@given(st.dictionaries(st.sampled_from([f"s{n}" for n in range(20)]), numbers, min_size=1))
def test_taking_all_at_once_gives_what_taking_one_by_one_gives(values: dict[str, Any]) -> None:
    """With a text among them every value takes the careful way."""
    tags = tuple(MqttTag(tag=name, topic="t", value=name, scale=0.5) for name in values)
    odd = MqttTag(tag="odd", topic="t", value="odd")
    at_once = Reader(source(tags=tags)).read(values).samples
    careful = Reader(source(tags=(*tags, odd))).read(values | {"odd": "text"}).samples
    assert at_once == [one for one in careful if one.tag != "odd"]
    assert [one.value for one in at_once] == [float(value) * 0.5 for value in values.values()]


@given(
    st.recursive(
        numbers | st.none() | st.text(), lambda t: st.lists(t) | st.dictionaries(st.text(), t)
    )
)
def test_no_document_breaks_the_decoder(document: Any) -> None:
    tags = (MqttTag(tag="T", topic="t", value="a.b"), MqttTag(tag="U", topic="t"))
    found = Reader(source(tags=tags, records=(RULE,))).read(document)
    assert len(found.samples) + len(found.records) + len(found.reasons) >= 1
