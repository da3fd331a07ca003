"""How far clocks are apart, where one source speaks for many."""

from collectors.skew import Skews


def test_one_wrong_clock_among_many_is_not_that_of_the_source() -> None:
    skews = Skews()
    assert skews.nearest(0.0) is None
    skews.note("M01", 10_800.0, 0.0)
    assert skews.nearest(0.0) == 10_800.0
    skews.note("M02", -0.2, 1.0)
    assert skews.nearest(1.0) == -0.2
    skews.note("M02", -7200.0, 2.0)
    assert skews.nearest(2.0) == -7200.0


def test_what_was_heard_long_ago_says_nothing_of_now() -> None:
    skews = Skews()
    skews.note("M02", 0.1, 0.0)
    skews.note("M01", 10_800.0, 500.0)
    assert skews.nearest(600.0) == 0.1
    assert skews.nearest(601.0) == 10_800.0
    assert skews.nearest(1101.0) is None


def test_topics_without_end_fill_no_memory() -> None:
    skews = Skews()
    for number in range(3000):
        skews.note(f"M{number}", 5.0 if number else 0.5, 0.0)
    assert len(skews._of) == 1000
    skews.note("M0", 0.25, 700.0)
    skews.note("new", 0.1, 700.0)
    assert skews.nearest(700.0) == 0.1
    assert len(skews._of) == 2
