"""Numbers inside structures, and state machines inside state machines."""

from collections.abc import Sequence

import pytest
from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from collectors import status
from collectors.opcua.settings import OpcuaTag
from collectors.opcua.structures import PackMLCountDataType, member_of
from collectors.opcua.values import Decoder, NestedDecoder, Note, Reading, decoder_of

PACKML = "http://opcfoundation.org/UA/PackML/"
NAMESPACES = ["http://opcfoundation.org/UA/", "urn:other", PACKML]
INT32 = st.integers(-(2**31), 2**31 - 1)


def counted(
    count: int,
    accumulated: int,
    name: str = "件",
    encoding: tuple[int, int] = (69, 2),
    cut: int = 0,
) -> ua.ExtensionObject:
    """Return a count as a server sends it when its structure is not known, perhaps cut short."""
    unit = ua.EUInformation(DisplayName=ua.LocalizedText("件"))
    parts = (ua.Int32(1), ua.String(name), unit, ua.Int32(count), ua.Int32(accumulated))
    body = struct_to_binary(PackMLCountDataType(*parts))
    number, index = encoding
    return ua.ExtensionObject(
        TypeId=ua.NodeId(ua.Int32(number), ua.Int16(index)),
        Body=ua.ByteString(body[: len(body) - cut]),
    )


@given(INT32, INT32, st.text(max_size=8))
def test_a_member_survives_the_way(count: int, accumulated: int, name: str) -> None:
    value = counted(count, accumulated, name)
    assert member_of(value, "AccCount", NAMESPACES) == accumulated
    assert member_of(value, "Count", NAMESPACES) == count


def test_another_order_of_namespaces_is_no_matter() -> None:
    assert member_of(counted(3, 4, encoding=(69, 1)), "AccCount", ["", PACKML]) == 4


@pytest.mark.parametrize("cut", [1, 5, 30, 50])
def test_a_structure_that_is_cut_short_has_no_members(cut: int) -> None:
    assert member_of(counted(3, 4, cut=cut), "AccCount", NAMESPACES) is None


def test_another_structure_has_no_members() -> None:
    assert member_of(counted(3, 4, encoding=(70, 2)), "AccCount", NAMESPACES) is None
    assert member_of(counted(3, 4), "AccCount", []) is None
    assert member_of(counted(3, 4), "Total", NAMESPACES) is None
    assert member_of(7, "AccCount", NAMESPACES) is None


def test_a_count_in_an_array_of_structures_becomes_a_value() -> None:
    tag = OpcuaTag(tag="P.total", node="i=1", index=0, member="AccCount")
    notes: list[Note] = []
    decoder = Decoder(tag, notes)
    decoder.namespaces = NAMESPACES
    data = ua.DataValue(ua.Variant([counted(5, 4711)], ua.VariantType.ExtensionObject))
    assert decoder.value(data) == (4711.0, status.GOOD)
    assert notes == []


def test_a_structure_without_the_member_is_told() -> None:
    notes: list[Note] = []
    decoder = Decoder(OpcuaTag(tag="P.total", node="i=1", member="Total"), notes)
    decoder.namespaces = NAMESPACES
    data = ua.DataValue(ua.Variant(counted(5, 6), ua.VariantType.ExtensionObject))
    assert decoder.value(data)[1] == status.BAD_TYPE_MISMATCH
    assert "i=1 has no Total that is known here" in notes[0].reason


# --- state machines ------------------------------------------------------------------------------


def packml(notes: list[Note] | None = None) -> NestedDecoder:
    tag = OpcuaTag(tag="P.state", node="i=1", outer_nodes=["i=2", "i=3"], states="packml")
    decoder = decoder_of(tag, [] if notes is None else notes)
    assert isinstance(decoder, NestedDecoder)
    return decoder


def texts(*names: str, ts_us: int = 10) -> list[Reading]:
    """Return the states of the machines, from inside out."""
    return [
        Reading(part, ua.DataValue(ua.Variant(ua.LocalizedText(name))), ts_us)
        for part, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("Execute", "Running", "Cleared"), 6),
        (("Held", "Running", "Cleared"), 11),
        (("Execute", "Stopped", "Cleared"), 2),
        (("Execute", "Running", "Aborted"), 9),
    ],
)
def test_the_outermost_state_that_says_something_counts(names: Sequence[str], code: int) -> None:
    (sample,) = packml().samples(texts(*names))
    assert (sample.value, sample.status) == (code, status.GOOD)


def test_a_machine_that_stops_is_stopped_whatever_its_inner_machine_said() -> None:
    decoder = packml()
    decoder.samples(texts("Execute", "Running", "Cleared"))
    stopping = Reading(1, ua.DataValue(ua.Variant(ua.LocalizedText("Stopping"))), 20)
    assert [(one.ts_us, one.value) for one in decoder.samples([stopping])] == [(20, 7)]


def test_an_inner_machine_that_is_not_active_is_asked_only_when_it_counts() -> None:
    code = StatusCodes.BadStateNotActive
    inactive = ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(code)))
    for outer, expected in (("Stopped", status.GOOD), ("Running", status.signed(code))):
        _, machine, base = texts("", outer, "Cleared")
        (sample,) = packml().samples([Reading(0, inactive, 10), machine, base])
        assert sample.status == expected


def test_no_state_is_told_before_all_machines_were_heard() -> None:
    assert packml().samples(texts("Execute", "Running")) == []


def test_a_state_of_no_machine_is_told_with_its_name() -> None:
    notes: list[Note] = []
    (sample,) = packml(notes).samples(texts("Dancing", "Running", "Cleared"))
    assert sample.status == status.BAD_OUT_OF_RANGE
    assert '"Dancing" is no state' in notes[0].reason
