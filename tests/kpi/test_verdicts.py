"""The two verdicts at their thresholds, for KPIs that shall rise and for those that shall fall."""

import pytest

from kpi.policy import Tolerance, policies
from kpi.verdicts import Consistency, Fulfilment, Verified
from kpi.verdicts import consistency as consistency_by
from kpi.verdicts import fulfilment as fulfilment_by

UNVERIFIED = Verified(None, None, None)
POLICY = policies()[0]
RELATIVE = Tolerance(relative=0.03)


def fulfilment(before: float | None, expected: float | None, verified: Verified) -> Fulfilment:
    """The verdict by the first policy."""
    return fulfilment_by(before, expected, verified, POLICY)


def consistency(
    reported: float | None, verified: Verified, tolerance: Tolerance = RELATIVE
) -> Consistency:
    """The verdict by the first policy and a tolerance of 3 %."""
    return consistency_by(reported, verified, tolerance, POLICY)


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
        (0.79, 0.80, 0.90, "met"),
        (0.60, 0.70, 0.79, "unknown"),
        (0.78, 0.85, 0.90, "unknown"),
        (0.60, 0.70, 0.78, "partly"),
        (0.50, 0.65, 0.78, "missed"),
        (0.50, 0.55, 0.60, "missed"),
        (0.50, 0.55, 0.599, "worse"),
    ],
    ids=[
        *("low bound over", "point over but low bound not", "low bound met"),
        *("high bound met alone", "low bound short alone"),
        *("high bound short", "point short", "high bound as before", "high bound below before"),
    ],
)
def test_both_bounds_lie_on_one_side_of_what_decides_or_nothing_is_decided(
    low: float, point: float, high: float, word: str
) -> None:
    assert fulfilment(0.60, 0.80, Verified(point, low, high)).verdict == word


def test_the_bounds_of_a_promise_to_fall_change_places() -> None:
    found = fulfilment(0.08, 0.06, Verified(0.07, 0.0612, 0.079))
    assert (found.low, found.share, found.high) == pytest.approx((0.05, 0.5, 0.94))
    assert found.verdict == "partly"


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
    assert consistency(0.60, verified).deviation == pytest.approx(0.2)


def test_a_report_near_wide_bounds_is_neither_confirmed_nor_refuted() -> None:
    verified = Verified(0.50, 0.40, 0.60)
    found = consistency(0.601, verified)
    assert (found.verdict, found.reason) == ("unknown", "bounds")
    assert consistency(0.80, verified).verdict == "unknown"
    assert consistency(0.801, verified).verdict == "false"


def test_a_report_near_the_point_is_the_same_though_outside_the_bounds() -> None:
    assert consistency(1.02, Verified(1.0, 0.99, 1.01)).verdict == "same"


@pytest.mark.parametrize(
    ("reported", "word"), [(0.0, "same"), (0.1, "same"), (0.15, "unknown"), (0.25, "false")]
)
def test_a_verified_zero_has_no_relative_deviation(reported: float, word: str) -> None:
    found = consistency(reported, Verified(0.0, 0.0, 0.1))
    assert (found.deviation, found.verdict) == (None, word)


@pytest.mark.parametrize(
    ("kpi", "unit", "verified", "same", "off", "wrong"),
    [
        ("oee", "1", 0.70, 0.72, 0.73, 0.78),
        ("defect_rate", "1", 0.02, 0.022, 0.0225, 0.025),
        ("defect_rate", "1", 0.002, 0.003, 0.0031, 0.005),
        ("on_time_delivery", "1", 0.90, 0.91, 0.93, 0.999),
        ("inventory_turnover", "turns", 4.0, 4.2, 4.3, 4.5),
        ("standard_coal", "tce", 2000.0, 2100.0, 2110.0, 2300.0),
        ("networked_equipment", "count", 40.0, 40.0, 41.0, 45.0),
        ("robots", "count", 12.0, 12.0, 13.0, 14.0),
        ("energy_intensity", "kgce", 10.0, 10.3, 10.5, 11.5),
    ],
)
def test_each_kpi_has_the_tolerance_of_the_policy(
    kpi: str, unit: str, verified: float, same: float, off: float, wrong: float
) -> None:
    tolerance = POLICY.tolerance(kpi, unit)
    found = [
        consistency(reported, exactly(verified), tolerance).verdict
        for reported in (same, off, wrong)
    ]
    assert found == ["same", "off", "false"]


def test_below_nine_tenths_of_the_data_nothing_is_judged_though_the_bounds_agree() -> None:
    thin = Verified(0.85, 0.82, 0.88, coverage=0.899)
    kept, true = fulfilment(0.60, 0.80, thin), consistency(0.85, thin)
    assert (kept.verdict, kept.reason) == ("unknown", "coverage")
    assert kept.share == pytest.approx(1.25), "the number stays to be seen"
    assert (true.verdict, true.reason) == ("unknown", "coverage")
    enough = Verified(0.85, 0.82, 0.88, coverage=0.9)
    assert fulfilment(0.60, 0.80, enough).verdict == "over"
    assert consistency(0.85, enough).verdict == "same"


def test_the_deviation_from_a_negative_figure_keeps_its_direction() -> None:
    assert consistency(-0.9, exactly(-1.0)).deviation == pytest.approx(0.1)


@pytest.mark.parametrize(("reported", "verified"), [(None, exactly(1.0)), (1.0, UNVERIFIED)])
def test_consistency_is_unknown_without_report_or_figure(
    reported: float | None, verified: Verified
) -> None:
    found = consistency(reported, verified)
    assert (found.deviation, found.verdict) == (None, "unknown")


def begun(low: float, high: float, verified: float, coverage: float = 1.0) -> Fulfilment:
    """The verdict on a promise from 0.60, which was measured between bounds, to 0.80."""
    measured = Verified(0.60, low, high, coverage)
    return fulfilment_by(0.60, 0.80, exactly(verified), POLICY, measured)


@pytest.mark.parametrize(
    ("low", "high", "verified", "word"),
    [
        (0.60, 0.60, 0.59, "worse"),
        (0.59, 0.61, 0.59, "missed"),
        (0.58, 0.62, 0.57, "worse"),
        (0.55, 0.65, 0.80, "met"),
        (0.59, 0.61, 0.81, "met"),
        (0.60, 0.60, 0.81, "over"),
        (0.55, 0.65, 0.70, "partly"),
        (0.55, 0.65, 0.79, "unknown"),
        (0.55, 0.80, 0.85, "unknown"),
        (0.55, 0.82, 0.85, "unknown"),
    ],
)
def test_nobody_is_worse_or_better_by_less_than_the_doubt_of_what_was_before(
    low: float, high: float, verified: float, word: str
) -> None:
    found = begun(low, high, verified)
    assert found.verdict == word
    assert found.share == pytest.approx((verified - 0.60) / 0.20)


def test_the_bounds_of_a_share_hold_every_beginning_between_the_bounds_of_before() -> None:
    for verified in (0.5, 0.65, 0.8, 0.9):
        found = begun(0.57, 0.64, verified)
        assert found.low is not None
        assert found.high is not None
        for number in range(101):
            begin = 0.57 + number * 0.07 / 100
            share = (verified - begin) / (0.80 - begin)
            assert found.low - 1e-9 <= share <= found.high + 1e-9


def test_too_little_data_of_before_judges_nothing() -> None:
    found = begun(0.60, 0.60, 0.80, coverage=0.85)
    assert (found.verdict, found.reason) == ("unknown", "coverage")
