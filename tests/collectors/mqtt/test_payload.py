"""JSON messages: what becomes a sample or a record, and what is refused with which reason."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collectors.mqtt import payload as mqtt_payload
from collectors.mqtt.payload import NotDecoded
from collectors.mqtt.settings import MqttRecord, MqttTag
from collectors.sample import Sample, to_us
from collectors.status import BAD_NO_DATA, GOOD

ZONE = ZoneInfo("Asia/Shanghai")
RECEIVED = 1_700_000_000_000_000
RULE = MqttRecord(topic="t", kind="order_line", key="line", at="due")


def sample(document: Any, value: str | None = "v", ts: str | None = None) -> Sample:
    tag = MqttTag(tag="T", topic="t", value=value, ts=ts)
    return mqtt_payload.sample(tag, document, RECEIVED, ZONE)


@pytest.mark.parametrize(
    ("document", "path", "value"),
    [
        ({"v": 1.5}, "v", 1.5),
        ({"v": True}, "v", 1.0),
        ({"v": False}, "v", 0.0),
        ({"a": {"b": [10, {"c": 7}]}}, "a.b.1.c", 7.0),
        ({"a b": 3}, None, None),
        (42, None, 42.0),
    ],
)
def test_a_value_by_path(document: Any, path: str | None, value: float | None) -> None:
    if value is None:
        with pytest.raises(NotDecoded, match="an object, not a number"):
            sample(document, path)
    else:
        assert sample(document, path) == Sample("T", RECEIVED, value, GOOD)


def test_null_is_no_value() -> None:
    assert sample({"v": None}) == Sample("T", RECEIVED, None, BAD_NO_DATA)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"v": "12"}, "v is a text, not a number"),
        ({"v": [1]}, "v is a list"),
        ({"w": 1}, "there is no v in the payload"),
        ([1], "there is no v in the payload"),
        ({"v": 10**400}, "too large a number"),
    ],
)
def test_a_value_that_does_not_fit(document: Any, reason: str) -> None:
    with pytest.raises(NotDecoded, match=reason):
        sample(document)


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


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01", 1_772_323_200, None])
def test_what_is_no_time(text: Any) -> None:
    with pytest.raises(NotDecoded):
        sample({"v": 1, "at": text}, ts="at")


def test_a_record_keeps_the_document() -> None:
    document = {"line": "SO1-1", "due": "2026-03-10", "quantity": 5, "备注": "急"}
    record = mqtt_payload.record(RULE, document, ZONE)
    assert (record.kind, record.key, record.body) == ("order_line", "SO1-1", document)
    assert record.at == datetime(2026, 3, 10, tzinfo=timezone(timedelta(hours=8)))
    assert datetime.fromisoformat(record.at.isoformat()).isoformat() == record.at.isoformat()


def test_a_numeric_key_is_not_rounded() -> None:
    document = {"line": 12345678901234567890, "quantity": 5, "due": "2026-03-10"}
    assert mqtt_payload.record(RULE, document, ZONE).key == "12345678901234567890"


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
    with pytest.raises(NotDecoded, match=reason):
        mqtt_payload.record(RULE, document, ZONE)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"v": NaN}', "NaN is no number"),
        (b'{"v": -Infinity}', "-Infinity is no number"),
        (b'{"v": 1e999}', "1e999 is no number"),
        (b'{"a": ["\\u0000"]}', "cannot be stored"),
        (b'{"\\ud800": 1}', "cannot be stored"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_a_database_cannot_hold_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(NotDecoded, match=reason):
        mqtt_payload.parse(payload)


def test_escapes_that_can_be_stored_are() -> None:
    assert mqtt_payload.parse(json.dumps({"a": "工厂 😀"}).encode()) == {"a": "工厂 😀"}
