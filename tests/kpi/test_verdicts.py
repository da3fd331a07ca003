"""The two verdicts at their thresholds, for KPIs that shall rise and for those that shall fall."""

import pytest

from kpi.verdicts import Verified, consistency, fulfilment

UNVERIFIED = Verified(None, None, None)


def exactly(value: float) -> Verified:
    """A figure without any doubt."""
    return Verified(value, value, value)


# From 0.60 before to 0.80 as promised: a hundredth is 5 % of the promised change.
RISING = [
    (0.90, 1.5, "over"),
    (0.81, 1.05, "over"),
    (0.8099, 1.0495, "met"),
    (0.80, 1.0, "met"),
    (0.79, 0.95, "met"),
    (0.7899, 0.9495, "partly"),
    (0.70, 0.5, "partly"),
    (0.6999, 0.4995, "missed"),
    (0.60, 0.0, "missed"),
    (0.5999, -0.0005, "worse"),
]


@pytest.mark.parametrize(("value", "share", "word"), RISING)
def test_fulfilment_of_a_promise_to_rise(value: float, share: float, word: str) -> None:
    found = fulfilment(0.60, 0.80, exactly(value))
    assert found.verdict == word
    assert (found.low, found.share, found.high) == pytest.approx((share,) * 3)


@pytest.mark.parametrize(("value", "share", "word"), RISING)
def test_fulfilment_of_a_promise_to_fall_mirrors_it(value: float, share: float, word: str) -> None:
    # From 0.080 to 0.060: as far below the one as above the other.
    found = fulfilment(0.080, 0.060, exactly(0.080 - (value - 0.60) / 10))
    assert found.verdict == word
    assert found.share == pytest.approx(share)


@pytest.mark.parametrize(
    ("low", "point", "high", "word"),
    [
        (0.81, 0.85, 0.90, "over"),
        (0.80, 0.85, 0.90, "met"),
        (0.60, 0.70, 0.79, "met"),
        (0.60, 0.70, 0.78, "partly"),
        (0.50, 0.65, 0.78, "missed"),
        (0.50, 0.55, 0.60, "missed"),
        (0.50, 0.55, 0.599, "worse"),
    ],
    ids=[
        *("low bound over", "point over but low bound not", "high bound met"),
        *("high bound short", "point short", "high bound as before", "high bound below before"),
    ],
)
def test_the_bounds_decide_in_doubt_for_the_factory(
    low: float, point: float, high: float, word: str
) -> None:
    assert fulfilment(0.60, 0.80, Verified(point, low, high)).verdict == word


def test_the_bounds_of_a_promise_to_fall_change_places() -> None:
    found = fulfilment(0.08, 0.06, Verified(0.07, 0.061, 0.079))
    assert (found.low, found.share, found.high) == pytest.approx((0.05, 0.5, 0.95))
    assert found.verdict == "met"


def test_rounding_makes_nothing_worse() -> None:
    # 0.1 + 0.2 is a hair above 0.3 before and so a hair below nothing done.
    assert fulfilment(0.1 + 0.2, 0.4, exactly(0.3)).verdict == "missed"


@pytest.mark.parametrize(
    ("before", "expected", "verified"),
    [
        (None, 0.8, exactly(0.8)),
        (0.6, None, exactly(0.8)),
        (0.6, 0.8, UNVERIFIED),
        (0.6, 0.6, exactly(0.8)),
        (0.6, 0.6, exactly(0.6)),
    ],
    ids=[
        "no baseline",
        "no promise",
        "not verified",
        "no change promised",
        "none promised or made",
    ],
)
def test_fulfilment_is_unknown_where_it_has_no_share(
    before: float | None, expected: float | None, verified: Verified
) -> None:
    found = fulfilment(before, expected, verified)
    assert (found.share, found.low, found.high, found.verdict) == (None, None, None, "unknown")


@pytest.mark.parametrize(
    ("reported", "deviation", "word"),
    [
        (1.000, 0.0, "same"),
        (1.030, 0.03, "same"),
        (1.0301, 0.0301, "off"),
        (1.100, 0.10, "off"),
        (1.1001, 0.1001, "false"),
        (0.970, -0.03, "same"),
        (0.9699, -0.0301, "off"),
        (0.900, -0.10, "off"),
        (0.8999, -0.1001, "false"),
    ],
)
def test_consistency_at_its_thresholds(reported: float, deviation: float, word: str) -> None:
    found = consistency(reported, exactly(1.0))
    assert found.verdict == word
    assert found.deviation == pytest.approx(deviation)


def test_a_report_inside_the_bounds_is_the_same_however_far_from_the_point() -> None:
    verified = Verified(0.50, 0.40, 0.60)
    assert consistency(0.60, verified).verdict == "same"
    assert consistency(0.40, verified).verdict == "same"
    assert consistency(0.601, verified).verdict == "false"
    assert consistency(0.60, verified).deviation == pytest.approx(0.2)


def test_a_report_near_the_point_is_the_same_though_outside_the_bounds() -> None:
    assert consistency(1.02, Verified(1.0, 0.99, 1.01)).verdict == "same"


@pytest.mark.parametrize(("reported", "word"), [(0.0, "same"), (0.1, "same"), (0.2, "false")])
def test_a_verified_zero_has_no_relative_deviation(reported: float, word: str) -> None:
    found = consistency(reported, Verified(0.0, 0.0, 0.1))
    assert (found.deviation, found.verdict) == (None, word)


def test_the_deviation_from_a_negative_figure_keeps_its_direction() -> None:
    assert consistency(-0.9, exactly(-1.0)).deviation == pytest.approx(0.1)


@pytest.mark.parametrize(("reported", "verified"), [(None, exactly(1.0)), (1.0, UNVERIFIED)])
def test_consistency_is_unknown_without_report_or_figure(
    reported: float | None, verified: Verified
) -> None:
    found = consistency(reported, verified)
    assert (found.deviation, found.verdict) == (None, "unknown")
