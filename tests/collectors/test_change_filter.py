"""What is stored: changes, heartbeats, and whatever arrives late."""

from collectors.change_filter import ChangeFilter
from collectors.sample import Sample
from collectors.status import BAD_TIMEOUT, GOOD, UNCERTAIN

SECOND = 1_000_000


def kept(samples: list[Sample], heartbeat_s: float = 60) -> list[int]:
    """Return the places of the samples that pass."""
    change_filter = ChangeFilter(heartbeat_s)
    return [place for place, sample in enumerate(samples) if change_filter.passes(sample)]


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
