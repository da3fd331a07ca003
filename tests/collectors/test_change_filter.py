"""What is stored: changes, heartbeats, and whatever arrives late."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from collectors.change_filter import ChangeFilter
from collectors.columns import Columns, TagTable
from collectors.sample import Sample
from collectors.status import BAD_TIMEOUT, GOOD, UNCERTAIN

SECOND = 1_000_000


class OneByOne:
    """The same rule, written for one sample at a time."""

    def __init__(self, heartbeat_s: float, deadbands: Mapping[str, float] | None = None) -> None:
        self._heartbeat_us = heartbeat_s * SECOND
        self._deadbands = deadbands or {}
        self._newest: dict[str, Sample] = {}

    def passes(self, sample: Sample) -> bool:
        newest = self._newest.get(sample.tag)
        if newest is not None:
            if sample.ts_us < newest.ts_us:
                return True
            near = sample.value == newest.value
            if sample.value is not None and newest.value is not None:
                near = abs(sample.value - newest.value) <= self._deadbands.get(sample.tag, 0)
            unchanged = near and sample.status == newest.status
            if unchanged and sample.ts_us - newest.ts_us < self._heartbeat_us:
                return False
        self._newest[sample.tag] = sample
        return True


def kept(samples: list[Sample], heartbeat_s: float = 60) -> list[int]:
    """Return the places of the samples that pass, after checking that blocks do not matter."""
    at_once = kept_in_blocks([samples], heartbeat_s)
    assert kept_in_blocks([[sample] for sample in samples], heartbeat_s) == at_once
    return at_once


def kept_in_blocks(
    blocks: list[list[Sample]], heartbeat_s: float, deadbands: Mapping[str, float] | None = None
) -> list[int]:
    table = TagTable()
    widths = {table.number(tag): width for tag, width in (deadbands or {}).items()}
    change_filter = ChangeFilter(heartbeat_s, widths)
    passing = [
        passes
        for block in blocks
        for passes in change_filter.passes(Columns.of_samples(table, block)).tolist()
    ]
    return [place for place, passes in enumerate(passing) if passes]


def at(seconds: float, value: float | None, status: int = GOOD, tag: str = "A") -> Sample:
    return Sample(tag, int(seconds * SECOND), value, status)


def test_the_first_reading_and_every_change_pass() -> None:
    assert kept([at(0, 1), at(5, 1), at(10, 2), at(15, 2), at(20, 1)]) == [0, 2, 4]


def test_an_unchanged_value_passes_at_its_heartbeat_with_the_reading_of_then() -> None:
    assert kept([at(seconds, 1) for seconds in range(0, 181, 30)]) == [0, 2, 4, 6]


def test_a_change_starts_the_heartbeat_anew() -> None:
    assert kept([at(0, 1), at(50, 2), at(61, 2), at(109, 2), at(110, 2)]) == [0, 1, 4]


def test_a_change_of_status_alone_passes() -> None:
    assert kept([at(0, 1), at(1, 1, UNCERTAIN), at(2, 1)]) == [0, 1, 2]


def test_bad_and_unchanged_differ() -> None:
    assert kept([at(0, 1), at(1, None, BAD_TIMEOUT), at(2, None, BAD_TIMEOUT), at(3, 1)]) == [
        0,
        1,
        3,
    ]


def test_tags_do_not_hide_each_other() -> None:
    assert kept([at(0, 1, tag="A"), at(1, 1, tag="B"), at(2, 1, tag="A"), at(3, 1, tag="B")]) == [
        0,
        1,
    ]


def test_a_late_sample_passes_and_leaves_the_newest_in_place() -> None:
    # Bad at 10; the server then repeats its value of 5; the reading at 11 must end the bad time.
    late = [at(5, 1), at(10, None, BAD_TIMEOUT), at(5, 1), at(11, 1)]
    assert kept(late) == [0, 1, 2, 3]
    assert kept([at(10, 1), at(5, 2), at(11, 1)]) == [0, 1]


def test_nothing_is_nothing() -> None:
    assert kept([]) == []


SAMPLES = st.builds(
    lambda tag, ts_s, value, code: at(ts_s, None if code == BAD_TIMEOUT else value, code, tag),
    st.sampled_from("ABC"),
    st.integers(0, 30),
    st.sampled_from([0.0, 1.0, -0.0]),
    st.sampled_from([GOOD, GOOD, UNCERTAIN, BAD_TIMEOUT]),
)


@given(st.lists(st.lists(SAMPLES, max_size=12), max_size=6), st.sampled_from([1, 5, 100]))
def test_blocks_are_judged_as_single_samples_are(
    blocks: list[list[Sample]], heartbeat_s: float
) -> None:
    one_by_one = OneByOne(heartbeat_s)
    samples = [sample for block in blocks for sample in block]
    expected = [place for place, sample in enumerate(samples) if one_by_one.passes(sample)]
    assert kept_in_blocks(blocks, heartbeat_s) == expected


def test_a_slow_drift_inside_the_deadband_is_stored_once_it_has_left_it() -> None:
    drifting = [at(seconds, 20 + seconds / 10) for seconds in range(0, 31, 2)]
    found = kept_in_blocks([drifting], 1000, {"A": 1.0})
    assert [drifting[place].value for place in found] == [20.0, 21.2, 22.4]
    assert kept_in_blocks([[sample] for sample in drifting], 1000, {"A": 1.0}) == found


@given(
    st.lists(st.lists(SAMPLES, max_size=12), max_size=6),
    st.dictionaries(st.sampled_from("ABC"), st.sampled_from([0.5, 1.0])),
)
def test_blocks_with_deadbands_are_judged_as_single_samples_are(
    blocks: list[list[Sample]], deadbands: dict[str, float]
) -> None:
    one_by_one = OneByOne(5, deadbands)
    samples = [sample for block in blocks for sample in block]
    expected = [place for place, sample in enumerate(samples) if one_by_one.passes(sample)]
    assert kept_in_blocks(blocks, 5, deadbands) == expected


@given(st.lists(st.lists(SAMPLES, max_size=12), max_size=6))
def test_ordered_blocks_are_judged_as_single_samples_are(blocks: list[list[Sample]]) -> None:
    """As they come from a source whose clock runs forward: the way without any loop."""
    ordered = sorted((one for block in blocks for one in block), key=lambda sample: sample.ts_us)
    one_by_one = OneByOne(100)
    expected = [place for place, sample in enumerate(ordered) if one_by_one.passes(sample)]
    halves = [ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]]
    assert kept_in_blocks(halves, 100) == expected
