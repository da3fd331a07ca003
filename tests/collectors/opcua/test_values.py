"""Data values to numbers: every type by hypothesis, states by name, arrays, two nodes as one."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from collectors import states
from collectors.opcua.settings import OpcuaTag
from collectors.opcua.values import CombinedDecoder, Decoder, Note, Reading, clock_us, source_us
from collectors.sample import from_us, to_us
from collectors.status import (
    BAD_NO_DATA,
    BAD_OUT_OF_RANGE,
    BAD_TYPE_MISMATCH,
    CODES,
    GOOD,
    UNCERTAIN,
)

NODE = "nsu=urn:example:plant;s=X"
OTHER = "nsu=urn:example:plant;s=Y"
WIDTHS = {"SByte": 8, "Int16": 16, "Int32": 32, "Int64": 64}
UNSIGNED = {"Byte": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64}


def tag(**keys: Any) -> OpcuaTag:
    return OpcuaTag(tag="x", node=NODE, **keys)


def value(content: Any, kind: str, status: int = 0) -> ua.DataValue:
    return ua.DataValue(ua.Variant(content, ua.VariantType[kind]), ua.StatusCode(ua.UInt32(status)))


def sent(data: ua.DataValue) -> ua.DataValue:
    """Return a data value as it comes off the wire."""
    found: ua.DataValue = struct_from_binary(ua.DataValue, Buffer(struct_to_binary(data)))
    return found


def decoded(data: ua.DataValue, **keys: Any) -> tuple[float | None, int, list[Note]]:
    notes: list[Note] = []
    number, status = Decoder(tag(**keys), notes).value(sent(data))
    return None if math.isnan(number) else number, status, notes


WHOLE = st.one_of(
    *(
        st.tuples(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1), st.just(kind))
        for kind, bits in WIDTHS.items()
    ),
    *(st.tuples(st.integers(0, 2**bits - 1), st.just(kind)) for kind, bits in UNSIGNED.items()),
)


@given(WHOLE)
def test_every_width_of_integer_comes_through(content: tuple[int, str]) -> None:
    assert decoded(value(*content)) == (float(content[0]), GOOD, [])


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_double_comes_through_and_what_is_not_finite_turns_bad(number: float) -> None:
    wanted = (number, GOOD) if math.isfinite(number) else (None, BAD_OUT_OF_RANGE)
    assert decoded(value(number, "Double"))[:2] == wanted


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_comes_through(number: float) -> None:
    assert decoded(value(number, "Float"))[:2] == (number, GOOD)


@given(st.integers(0, 7_000_000_000_000_000))
def test_a_time_becomes_seconds_since_1970(ts_us: int) -> None:
    moment = ua.DateTime.fromisoformat(from_us(ts_us).isoformat())
    number, status, _ = decoded(value(moment, "DateTime"))
    assert number is not None
    assert abs(number - ts_us / 1e6) <= 2e-6
    assert status == GOOD


@given(st.sampled_from(sorted(CODES.values())), st.booleans())
def test_a_status_is_kept_and_a_bad_one_has_no_value(status: int, flag: bool) -> None:
    found = decoded(value(flag, "Boolean", status & 0xFFFFFFFF))
    assert found == (None if status < 0 else float(flag), status, [])


def test_numeric_looking_strings_are_never_silently_turned_into_numbers() -> None:
    data = value("00042", "String")
    number, status, notes = decoded(data)
    assert (number, status) == (None, BAD_TYPE_MISMATCH)
    assert notes == [Note(f"x: {NODE} is not a number or boolean", "00042")]
    assert decoded(data, parse="number") == (42.0, GOOD, [])


@pytest.mark.parametrize("text", ["", "12,5", "1_000", "nan", "0x10", "12 kW", "1e"])
def test_a_text_that_is_no_number_is_not_made_one(text: str) -> None:
    number, status, notes = decoded(value(text, "String"), parse="number")
    assert (number, status, len(notes)) == (None, BAD_TYPE_MISMATCH, 1)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_is_parsed_exactly(number: float) -> None:
    assert decoded(value(f" {number!r} ", "String"), parse="number")[0] == number


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5), st.integers(0, 6))
def test_an_array_is_read_by_index(elements: list[int], index: int) -> None:
    data = ua.DataValue(ua.Variant(elements, ua.VariantType.Int32, is_array=True))
    number, status, notes = decoded(data, index=index)
    if index < len(elements):
        assert (number, status, notes) == (float(elements[index]), GOOD, [])
    elif elements:
        assert (number, status, len(notes)) == (None, BAD_OUT_OF_RANGE, 1)
    else:
        assert number is None
        assert status < 0


def test_what_is_no_array_has_no_elements() -> None:
    assert decoded(value(1, "Int32"), index=0)[1] == BAD_TYPE_MISMATCH
    data = ua.DataValue(ua.Variant([1, 2], ua.VariantType.Int32))
    assert decoded(data)[1] == BAD_TYPE_MISMATCH


def test_no_value_is_no_zero() -> None:
    assert decoded(ua.DataValue()) == (None, BAD_NO_DATA, [])


@pytest.mark.parametrize(
    "data",
    [
        value("Held", "String"),
        value("HELD", "String"),
        value(ua.LocalizedText("held"), "LocalizedText"),
        value(ua.QualifiedName("Held", 3), "QualifiedName"),
    ],
)
def test_a_state_is_found_by_name_in_whatever_text(data: ua.DataValue) -> None:
    assert decoded(data, states="packml") == (11.0, GOOD, [])


def test_an_unknown_state_is_bad_and_named_once_each() -> None:
    notes: list[Note] = []
    decoder = Decoder(tag(states="packml"), notes)
    for text in ("Dancing", "Dancing", "Singing"):
        number, status = decoder.value(value(text, "String"))
        assert math.isnan(number)
        assert status == BAD_OUT_OF_RANGE
    assert [note.value for note in notes] == ["Dancing", "Singing"]
    for number in range(1000):
        decoder.value(value(f"State {number}", "String"))
    assert len(notes) == 20


def test_a_text_in_gb_18030_is_read_and_can_be_stored() -> None:
    for raw, shown in (("运行".encode("gb18030"), "运行"), (b"\xff\xfe", "\\xff\\xfe")):
        data = value(raw.decode("utf-8", "surrogateescape"), "String")
        notes: list[Note] = []
        Decoder(tag(states={"停止": 1}), notes).value(sent(data))
        assert [note.value for note in notes] == [shown]
        assert shown.encode()
    assert decoded(
        value("运行".encode("gb18030").decode("utf-8", "surrogateescape"), "String"),
        states={"运行": 3},
    ) == (3.0, GOOD, [])


def test_a_state_number_is_never_taken_for_a_name() -> None:
    assert decoded(value(6, "Int32"), states="packml")[1] == BAD_OUT_OF_RANGE
    assert decoded(value(6, "Int32"), states={"6": 60}) == (60.0, GOOD, [])
    assert decoded(value(True, "Boolean"), states={"TRUE": 2}) == (2.0, GOOD, [])


def test_an_enumeration_is_named_by_the_server() -> None:
    decoder = Decoder(tag(states="mtconnect_execution"), [])
    decoder.enumerations[0] = {4: "FEED_HOLD"}
    assert decoder.value(value(4, "Int32")) == (6.0, GOOD)
    assert decoder.value(value(5, "Int32"))[1] == BAD_OUT_OF_RANGE


def test_a_state_may_be_a_node() -> None:
    decoder = Decoder(tag(states={"nsu=urn:b;i=5004": 4, "i=11": 5}), [])
    decoder.namespaces = ["http://opcfoundation.org/UA/", "urn:a", "urn:b"]
    for node, code in (("ns=2;i=5004", 4.0), ("i=11", 5.0)):
        data = value(ua.NodeId.from_string(node), "NodeId")
        assert decoder.value(data) == (code, GOOD)


def reading(part: int, name: str, at_us: int, status: int = 0) -> Reading:
    return Reading(part, value(ua.LocalizedText(name), "LocalizedText", status), at_us)


def machine() -> CombinedDecoder:
    return CombinedDecoder(tag(states=states.COMBINED, mode_node=OTHER), [])


def test_item_state_and_operation_mode_make_one_state() -> None:
    decoder = machine()
    assert decoder.samples([reading(0, "Executing", 10)]) == []
    found = decoder.samples([reading(1, "Processing", 12)])
    found += decoder.samples([reading(0, "NotExecuting", 20), reading(1, "Setup", 20)])
    found += decoder.samples([reading(1, "Maintenance", 31), reading(0, "OutOfService", 30)])
    assert [(one.ts_us, one.value) for one in found] == [
        (12, 33.0),
        (20, 22.0),
        (30, 12.0),
        (31, 11.0),
    ]


def test_a_second_half_with_the_same_time_never_contradicts_the_first() -> None:
    decoder = machine()
    decoder.samples([reading(0, "Executing", 10), reading(1, "Processing", 10)])
    found = decoder.samples([reading(0, "NotExecuting", 20)])
    found += decoder.samples([reading(1, "Setup", 20)])
    found += decoder.samples([reading(1, "Setup", 20)])
    assert [(one.ts_us, one.value) for one in found] == [(20, 23.0), (21, 22.0)]


def test_a_bad_half_makes_the_state_bad() -> None:
    decoder = machine()
    decoder.samples([reading(0, "Executing", 10), reading(1, "Processing", 10)])
    (found,) = decoder.samples([reading(1, "Processing", 11, 0x808C0000)])
    assert found[1:] == (11, None, CODES["BadSensorFailure"])
    (found,) = decoder.samples([reading(1, "Processing", 12, 0x40000000)])
    assert found[1:] == (12, 33.0, UNCERTAIN)
    (found,) = decoder.samples([reading(1, "Dreaming", 13)])
    assert found[1:] == (13, None, BAD_OUT_OF_RANGE)


def test_the_sources_time_comes_first() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    moments = [ua.DateTime.fromisoformat((start + timedelta(hours=n)).isoformat()) for n in (0, 1)]
    both = ua.DataValue(SourceTimestamp=moments[0], ServerTimestamp=moments[1])
    assert from_us(source_us(both, 5)) == start
    assert from_us(source_us(ua.DataValue(ServerTimestamp=moments[1]), 5)) == moments[1]
    assert source_us(ua.DataValue(), 5) == 5
    never = ua.DateTime(1601, 1, 1, tzinfo=UTC)
    assert source_us(ua.DataValue(SourceTimestamp=never), 5) == 5


def test_a_clock_that_shows_nothing_is_not_believed() -> None:
    moment = ua.DateTime(2026, 3, 1, tzinfo=UTC)
    assert clock_us(ua.DataValue(ua.Variant(moment, ua.VariantType.DateTime)), 5) == to_us(moment)
    assert clock_us(ua.DataValue(), 5) == 5
