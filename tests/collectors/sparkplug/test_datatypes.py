"""Every datatype there and back, from bytes that the host's own code did not make."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import status
from collectors.sparkplug.datatypes import NotAValue, is_number, is_storable, meaning, name
from collectors.sparkplug.payload import decode
from tests.collectors.sparkplug import edge_node
from tests.collectors.sparkplug.edge_node import metric, payload, raw_int, raw_long

INTEGERS = {
    edge_node.INT8: (-(2**7), 2**7 - 1),
    edge_node.INT16: (-(2**15), 2**15 - 1),
    edge_node.INT32: (-(2**31), 2**31 - 1),
    edge_node.INT64: (-(2**63), 2**63 - 1),
    edge_node.UINT8: (0, 2**8 - 1),
    edge_node.UINT16: (0, 2**16 - 1),
    edge_node.UINT32: (0, 2**32 - 1),
    edge_node.UINT64: (0, 2**64 - 1),
}


def received(data: bytes) -> float | str:
    (found,) = decode(payload([data])).metrics
    assert found.datatype is not None
    assert found.value is not None
    return meaning(found.datatype, found.value)


@given(st.data(), st.sampled_from(sorted(INTEGERS)))
def test_every_integer_comes_back(data: st.DataObject, datatype: int) -> None:
    low, high = INTEGERS[datatype]
    number = data.draw(st.integers(low, high))
    assert received(metric("m", number, datatype)) == float(number)


@given(st.integers(-(2**7), -1))
def test_negative_bytes_may_be_sent_in_their_own_width(number: int) -> None:
    assert received(metric("m", raw_int(number & 0xFF), edge_node.INT8)) == number


@given(st.integers(-(2**31), -1))
def test_negative_numbers_may_be_sent_as_64_bits(number: int) -> None:
    wide = raw_long(number & 0xFFFF_FFFF_FFFF_FFFF)
    assert received(metric("m", wide, edge_node.INT32)) == number


def test_four_billion_as_64_bits_is_no_negative_number() -> None:
    assert received(metric("m", raw_long(4_294_967_284), edge_node.INT64)) == 4_294_967_284


@given(st.floats(width=32, allow_nan=False))
def test_every_float_comes_back(number: float) -> None:
    assert received(metric("m", number, edge_node.FLOAT)) == number


@given(st.floats(allow_nan=False))
def test_every_double_comes_back(number: float) -> None:
    assert received(metric("m", number, edge_node.DOUBLE)) == number


@given(st.booleans())
def test_every_boolean_comes_back(value: bool) -> None:
    assert received(metric("m", value, edge_node.BOOLEAN)) == float(value)


@given(st.integers(0, 7_258_118_400_000))
def test_every_time_comes_back_in_seconds(moment_ms: int) -> None:
    assert received(metric("m", moment_ms, edge_node.DATETIME)) == moment_ms / 1000


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.sampled_from([edge_node.STRING, edge_node.TEXT, 15]),
)
def test_every_text_comes_back(text: str, datatype: int) -> None:
    data = metric("m", edge_node.Raw(edge_node.wire_value(edge_node.STRING, text)), datatype)
    assert received(data) == text


@pytest.mark.parametrize(
    ("datatype", "number"),
    [
        (edge_node.INT8, 300),
        (edge_node.INT16, 70_000),
        (edge_node.UINT8, 256),
        (edge_node.UINT16, 0xFFFF_FFFF),
        (edge_node.INT32, 2**40),
    ],
)
def test_a_number_that_its_datatype_cannot_hold_is_refused(datatype: int, number: int) -> None:
    with pytest.raises(NotAValue) as refused:
        received(metric("m", raw_long(number), datatype))
    assert refused.value.status == status.BAD_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("datatype", "sent_as", "value"),
    [
        (edge_node.INT32, edge_node.STRING, "12"),
        (edge_node.STRING, edge_node.INT32, 12),
        (edge_node.DOUBLE, edge_node.INT32, 12),
        (edge_node.INT32, edge_node.BOOLEAN, True),
        (edge_node.BOOLEAN, edge_node.INT32, 1),
        (edge_node.INT32_ARRAY, edge_node.BYTES, struct.pack("<i", 12)),
        (edge_node.DATASET, edge_node.DATASET, b""),
        (99, edge_node.INT32, 12),
    ],
)
def test_a_value_that_is_not_of_its_datatype_is_refused(
    datatype: int, sent_as: int, value: object
) -> None:
    wire = edge_node.Raw(edge_node.wire_value(sent_as, value))
    with pytest.raises(NotAValue) as refused:
        received(metric("m", wire, datatype))
    assert refused.value.status == status.BAD_TYPE_MISMATCH


def test_what_can_be_stored() -> None:
    numbers = {number for number in range(40) if is_number(number)}
    assert numbers == {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13}
    assert {number for number in range(40) if is_storable(number)} - numbers == {12, 14, 15}


def test_datatypes_have_names() -> None:
    assert [name(number) for number in (3, 16, 34, 99)] == [
        "Int32",
        "DataSet",
        "DateTimeArray",
        "datatype 99",
    ]
