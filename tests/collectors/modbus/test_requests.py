"""Planning of reads: properties that hold for any set of tags, and the fewest requests."""

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from collectors.modbus.layout import WIDTHS, RegisterTable, RegisterType
from collectors.modbus.requests import Limits, narrowed, plan
from collectors.modbus.settings import MOST_REGISTERS, ModbusTag

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


@st.composite
def crowds(draw: st.DrawFn) -> list[ModbusTag]:
    """Draw a few tags so near to each other that every limit matters; they may overlap."""
    places = draw(st.lists(st.tuples(st.integers(0, 24), TYPES), min_size=1, max_size=6))
    return [
        ModbusTag(tag=f"T{index}", address=address, type=kind)
        for index, (address, kind) in enumerate(places)
    ]


def registers_of(tags: Sequence[ModbusTag]) -> set[int]:
    return {at for tag in tags for at in range(tag.address, tag.address + WIDTHS[tag.type])}


def is_one_request(tags: Sequence[ModbusTag], most: int, gap: int) -> bool:
    """Tell whether one read can cover tags, from the rules and without the planner."""
    used = registers_of(tags)
    runs = "".join("x" if at in used else "." for at in range(min(used), max(used) + 1))
    return len(runs) <= most and max(len(idle) for idle in runs.split("x")) <= gap


def groupings(tags: Sequence[ModbusTag]) -> Iterator[list[list[ModbusTag]]]:
    """Return every way to put tags into groups."""
    if not tags:
        yield []
        return
    first, rest = tags[0], tags[1:]
    for groups in groupings(rest):
        yield [[first], *groups]
        for index, group in enumerate(groups):
            yield [*groups[:index], [first, *group], *groups[index + 1 :]]


@given(crowds(), st.integers(4, 16), st.integers(0, 8))
def test_no_way_to_group_the_tags_takes_fewer_requests(
    tags: list[ModbusTag], most: int, gap: int
) -> None:
    fewest = min(
        len(groups)
        for groups in groupings(tags)
        if all(is_one_request(group, most, gap) for group in groups)
    )
    assert len(plan(tags, Limits(registers=most, gap=gap))) == fewest


@given(tag_sets(), GAPS)
def test_every_tag_is_read_once_and_whole(tags: list[ModbusTag], gap: int) -> None:
    requests = plan(tags, Limits(gap=gap))
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
    for request in plan(tags, Limits(gap=gap)):
        reply = list(range(request.address, request.address + request.count))
        for tag in request.tags:
            expected = list(range(tag.address, tag.address + WIDTHS[tag.type]))
            assert list(request.places_of(tag, reply)) == expected


@given(tag_sets(), st.integers(4, 125), GAPS)
def test_no_request_exceeds_a_limit_of_the_device(
    tags: list[ModbusTag], most: int, gap: int
) -> None:
    for request in plan(tags, Limits(registers=most, gap=gap)):
        used = registers_of(request.tags)
        assert (request.address, request.address + request.count - 1) == (min(used), max(used))
        assert is_one_request(request.tags, most, gap)


@given(tag_sets())
def test_a_refused_request_ends_in_single_tags_without_losing_one(tags: list[ModbusTag]) -> None:
    waiting = plan(tags)
    for _ in range(2 * len(tags) + 1):
        waiting = [
            part
            for request in waiting
            for part in (
                narrowed(request) if request.bridges_gap or len(request.tags) > 1 else [request]
            )
        ]
    assert sorted(tag.tag for one in waiting for tag in one.tags) == sorted(t.tag for t in tags)
    assert all(len(request.tags) == 1 for request in waiting)


@given(st.integers(0, 65_000), st.integers(1, 400))
def test_a_solid_block_takes_the_fewest_requests(first: int, count: int) -> None:
    tags = [ModbusTag(tag=f"T{i}", address=first + i, type="uint16") for i in range(count)]
    assert len(plan(tags)) == -(-count // MOST_REGISTERS)


def test_modbus_one_request_per_register() -> None:
    """Complaint: one request for each register is too slow for a meter with many."""
    meters = [
        ModbusTag(tag=f"M{unit}.{n}", unit_id=unit, address=2 * n, type="float32")
        for unit in range(1, 11)
        for n in range(62)
    ]
    assert len(plan(meters)) == 10


def test_a_value_at_the_limit_is_not_split() -> None:
    tags = [ModbusTag(tag=f"T{i}", address=i, type="uint16") for i in range(124)]
    straddling = ModbusTag(tag="wide", address=124, type="uint32")
    first, second = plan([*tags, straddling])
    assert (first.address, first.count) == (0, 124)
    assert (second.address, second.count) == (124, 2)


def test_a_thousand_coils_are_one_request() -> None:
    coils = [ModbusTag(tag=f"C{n}", table="coil", address=2 * n, type="bool") for n in range(1000)]
    assert [(one.address, one.count) for one in plan(coils)] == [(0, 1999)]
    assert len(plan(coils, Limits(bits=512))) == 4


def test_a_unit_may_have_limits_of_its_own() -> None:
    tags = [
        ModbusTag(tag=f"U{unit}.{n}", unit_id=unit, address=n, type="uint16")
        for unit in (1, 2)
        for n in range(100)
    ]
    found = plan(tags, of_unit={2: Limits(registers=80)})
    assert [(one.unit_id, one.count) for one in found] == [(1, 100), (2, 80), (2, 20)]
