"""Planning of reads: properties that hold for any set of tags."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.modbus.requests import MOST_REGISTERS, plan
from collectors.modbus.settings import WIDTHS, ModbusTag, RegisterTable, RegisterType

TABLES: st.SearchStrategy[RegisterTable] = st.sampled_from(("holding", "input"))
TYPES: st.SearchStrategy[RegisterType] = st.sampled_from(sorted(WIDTHS))
GAPS = st.integers(0, 60)


@st.composite
def tag_sets(draw: st.DrawFn) -> list[ModbusTag]:
    places = draw(
        st.lists(
            st.tuples(st.integers(1, 3), TABLES, st.integers(0, 900), TYPES),
            max_size=60,
        )
    )
    return [
        ModbusTag(tag=f"T{index}", unit_id=unit, table=table, address=address, type=kind)
        for index, (unit, table, address, kind) in enumerate(places)
    ]


@given(tag_sets(), GAPS)
def test_every_tag_is_read_once_and_whole(tags: list[ModbusTag], gap: int) -> None:
    requests = plan(tags, gap)
    assert sorted(tag.tag for one in requests for tag in one.tags) == sorted(t.tag for t in tags)
    for request in requests:
        assert 1 <= request.count <= MOST_REGISTERS
        for tag in request.tags:
            assert (tag.unit_id, tag.table) == (request.unit_id, request.table)
            end = tag.address + WIDTHS[tag.type]
            assert request.address <= tag.address
            assert end <= request.address + request.count


@given(tag_sets(), GAPS)
def test_a_tag_finds_its_own_registers(tags: list[ModbusTag], gap: int) -> None:
    for request in plan(tags, gap):
        reply = list(range(request.address, request.address + request.count))
        for tag in request.tags:
            expected = list(range(tag.address, tag.address + WIDTHS[tag.type]))
            assert list(request.registers_of(tag, reply)) == expected


@given(tag_sets(), GAPS)
def test_no_request_crosses_more_idle_registers_than_allowed(
    tags: list[ModbusTag], gap: int
) -> None:
    for request in plan(tags, gap):
        used = {
            register
            for tag in request.tags
            for register in range(tag.address, tag.address + WIDTHS[tag.type])
        }
        assert request.address in used
        assert request.address + request.count - 1 in used
        idle = longest_idle = 0
        for register in range(request.address, request.address + request.count):
            idle = 0 if register in used else idle + 1
            longest_idle = max(longest_idle, idle)
        assert longest_idle <= gap


@given(st.integers(0, 65_000), st.integers(1, 400))
def test_a_solid_block_takes_the_fewest_requests(first: int, count: int) -> None:
    tags = [ModbusTag(tag=f"T{i}", address=first + i, type="uint16") for i in range(count)]
    assert len(plan(tags)) == -(-count // MOST_REGISTERS)


def test_a_value_at_the_limit_is_not_split() -> None:
    tags = [ModbusTag(tag=f"T{i}", address=i, type="uint16") for i in range(124)]
    straddling = ModbusTag(tag="wide", address=124, type="uint32")
    first, second = plan([*tags, straddling])
    assert (first.address, first.count) == (0, 124)
    assert (second.address, second.count) == (124, 2)
