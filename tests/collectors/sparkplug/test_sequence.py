"""Sequence numbers: order restored, loss noticed, repetition told from loss."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.sparkplug.sequence import ROUND, Sequence, Step

WAIT_S = 5.0


def started(seq: int = 255) -> Sequence[int]:
    sequence: Sequence[int] = Sequence(None, WAIT_S)
    sequence.start(seq)
    return sequence


@given(st.integers(0, 255), st.permutations(range(8)), st.integers(1, 60))
def test_messages_out_of_order_come_out_in_order(birth: int, order: list[int], rounds: int) -> None:
    sequence = started(birth)
    found: list[Step[int]] = []
    for start in range(0, rounds * 8, 8):
        for place in order:
            number = start + place
            steps = sequence.take((birth + 1 + number) % ROUND, number, 0.0)
            assert steps is not None
            found += steps
    assert found == [Step(0, number) for number in range(rounds * 8)]


def test_a_gap_is_waited_for_and_then_counted() -> None:
    sequence = started()
    assert sequence.take(3, 3, 10.0) == []
    assert sequence.take(4, 4, 11.0) == []
    assert sequence.overdue(15.0) == []
    assert sequence.overdue(15.1) == [Step(3, 3), Step(0, 4)]
    assert sequence.take(5, 5, 16.0) == [Step(0, 5)]


def test_two_gaps_are_counted_one_after_the_other() -> None:
    sequence = started()
    sequence.take(2, 2, 0.0)
    sequence.take(5, 5, 0.0)
    assert sequence.flush() == [Step(2, 2), Step(2, 5)]
    assert sequence.flush() == []


def test_what_waits_is_bounded() -> None:
    sequence = started()
    found: list[Step[int]] = []
    for seq in range(1, 100):
        found += sequence.take(seq, seq, 0.0) or []
    assert found == [Step(1 if seq == 1 else 0, seq) for seq in range(1, 100)]


def test_a_message_that_comes_twice_is_told_from_loss() -> None:
    sequence = started()
    for seq in range(10):
        assert sequence.take(seq, seq, 0.0) == [Step(0, seq)]
    assert sequence.take(9, 9, 0.0) is None
    assert sequence.take(10, 10, 0.0) == [Step(0, 10)]
    assert sequence.take(12, 12, 0.0) == []
    assert sequence.take(12, 12, 0.0) is None


def test_two_messages_in_a_row_that_lie_behind_mean_a_loss() -> None:
    sequence = started()
    for seq in range(10):
        sequence.take(seq, seq, 0.0)
    assert sequence.take(0, 0, 0.0) is None
    assert sequence.take(1, 1, 0.0) == []
    assert sequence.take(2, 2, 0.0) == []
    assert sequence.overdue(WAIT_S + 1) == [Step(247, 1), Step(0, 2)]


def test_after_a_break_every_other_number_means_a_loss() -> None:
    sequence: Sequence[int] = Sequence(10, WAIT_S)
    assert sequence.take(9, 9, 0.0) == []
    assert sequence.overdue(WAIT_S + 1) == [Step(255, 9)]
    sequence.after_a_break()
    assert sequence.take(10, 10, 0.0) == [Step(0, 10)]


def test_whoever_knows_no_number_begins_with_the_first() -> None:
    sequence: Sequence[int] = Sequence(None, WAIT_S)
    assert sequence.take(77, 77, 0.0) == [Step(0, 77)]
    assert sequence.due == 78
