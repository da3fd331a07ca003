"""States by name: the shipped table is sound, and names are found however they are spelt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import states
from kpi.formulas.states import UNKNOWN
from store.plan_schema import STATES

SCHEMES = states.schemes()


def test_no_scheme_names_a_state_twice() -> None:
    names = [(one.scheme, states.folded(one.name)) for one in states.table()]
    assert len(names) == len(set(names))


def test_a_code_has_one_bucket_and_every_row_says_where_it_is_from() -> None:
    for one in states.table():
        assert one.bucket == states.bucket_map(one.scheme)[str(one.code)]
        assert one.note
        assert one.code > UNKNOWN


def test_buckets_are_those_of_a_monitoring_plan() -> None:
    assert {one.bucket for one in states.table()} == set(STATES)


@pytest.mark.parametrize(
    ("scheme", "name", "code", "bucket"),
    [
        ("packml", "Execute", 6, "run"),
        ("packml", "UNSUSPENDING", 14, "stop"),
        ("machinery_item_state", "Out Of Service", 1, "stop"),
        ("machinery_operation_mode", "Setup", 2, "setup"),
        ("machinery", states.combined("Executing", "Processing"), 33, "run"),
        ("machinery", states.combined("NotExecuting", "Maintenance"), 21, "planned_down"),
        ("mtconnect_execution", "feed-hold", 6, "stop"),
        ("mtconnect_execution", "UNAVAILABLE", 0, "unknown"),
        ("semi_e10", "SBY", 2, "idle"),
    ],
)
def test_a_name_has_the_code_of_its_standard(
    scheme: str, name: str, code: int, bucket: str
) -> None:
    assert states.codes(scheme)[states.folded(name)] == code
    assert states.bucket_map(scheme)[str(code)] == bucket


def test_state_and_mode_together_make_sixteen_states() -> None:
    items = [s for s in states.table() if s.scheme == "machinery_item_state"]
    modes = [s for s in states.table() if s.scheme == "machinery_operation_mode"]
    joint = states.codes(states.COMBINED)
    for item in items:
        for mode in modes:
            name = states.folded(states.combined(item.name, mode.name))
            assert joint.pop(name) == 10 * item.code + mode.code
    assert joint == {}


@given(st.sampled_from(states.table()), st.data())
def test_spelling_does_not_matter(state: states.State, data: st.DataObject) -> None:
    spelt = "".join(
        data.draw(st.sampled_from((c.upper(), c.lower(), f"_{c}", f" {c}", f"-{c}")))
        for c in state.name
    )
    assert states.codes(state.scheme)[states.folded(spelt)] == state.code


def test_a_table_of_the_file_is_taken_as_it_is() -> None:
    assert states.codes({"RUN": 1, "Not Ready": 7}) == {"run": 1, "notready": 7}
