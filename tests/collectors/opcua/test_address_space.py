"""Patterns over browse paths, and the tree that browsing builds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.opcua.address_space import OBJECTS, AddressSpace, Name, Node, path_matches

NAMES = st.lists(st.sampled_from(["Machine", "Axis", "Temperature"]), max_size=6)


def node(address: str, parent: str | None, type_address: str = "i=58") -> Node:
    return Node(address, Name("", address), parent, False, type_address)


def space(*edges: tuple[str, str]) -> AddressSpace:
    made = AddressSpace()
    for parent, child in edges:
        made.add(parent, node(child, None if parent == OBJECTS else parent))
    return made


@pytest.mark.parametrize(
    ("path", "pattern", "matches"),
    [
        ("Machine/Axis/Temperature", "**/Temperature", True),
        ("Temperature", "**/Temperature", True),
        ("Machine/Axis/Temperature", "*/Temperature", False),
        ("Machine/Axis/Temperature", "Machine/**", True),
        ("Machine", "Machine/**", True),
        ("Machine/Axis1/Temperature", "Machine/Axis?/Temp*", True),
        ("Machine/Axis/Temperature", "Machine/**/Axis/**/Temperature", True),
        ("Machine/Axis/Temperature", "Machine/Axis", False),
        ("Machine/axis", "Machine/Axis", False),
    ],
)
def test_a_pattern_over_browse_paths(path: str, pattern: str, matches: bool) -> None:
    assert path_matches(path.split("/"), pattern.split("/")) is matches


@given(NAMES, NAMES)
def test_two_stars_stand_for_any_number_of_names(before: list[str], after: list[str]) -> None:
    assert path_matches([*before, *after], ["**", *after])
    assert path_matches([*before, *after], [*before, "**"])
    assert path_matches([*before, *after], [*before, *after])
    assert not path_matches([*before, *after], [*before, *after, "*"])


def test_a_node_that_stands_below_two_folders_is_one_node() -> None:
    made = space((OBJECTS, "folder"), (OBJECTS, "other"), ("folder", "x"), ("other", "x"))
    assert [one.address for one in made.below("other")] == ["x"]
    assert made.path(made.nodes["x"]) == ("folder", "x")
    assert [one.address for one in made.subtree(OBJECTS)] == ["folder", "other", "x"]
    assert made.parents["x"] == ["folder", "other"]


def test_a_ring_of_references_comes_to_an_end() -> None:
    made = space((OBJECTS, "a"), ("a", "b"), ("b", "a"))
    assert [one.address for one in made.subtree("a")] == ["a", "b"]
    made.supertypes.update({"t1": "t2", "t2": "t1"})
    assert made.is_a("t1", "t2")
    assert not made.is_a("t1", "t3")


def test_a_subtree_stops_at_what_is_left_out() -> None:
    made = space((OBJECTS, "a"), ("a", "b"), ("b", "c"), ("a", "d"))
    assert [one.address for one in made.subtree("a", without=["b"])] == ["a", "d"]
