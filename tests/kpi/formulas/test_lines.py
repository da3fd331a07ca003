"""OEE of a serial line by what leaves it and its bottleneck."""

import pytest

from kpi.errors import NotComputable
from kpi.formulas.lines import Share, bottleneck, line_oee


def _exact(value: float) -> Share:
    return Share(value, value, value)


def test_the_line_goes_by_its_bottleneck_and_not_by_its_last_machine() -> None:
    # 400 good units leave at 30 s each; the slowest machine takes 60 s: 400 · 60 / 36 000.
    found = line_oee(36_000, 0, _exact(400 * 30), {1: 30.0}, {1: 60.0})
    assert (found.low, found.point, found.high) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_products_that_compare_differently_open_the_bounds() -> None:
    found = line_oee(36_000, 0, _exact(12_000), {1: 30.0, 2: 40.0}, {1: 60.0, 2: 60.0})
    assert (found.low, found.point, found.high) == pytest.approx((0.5, 1.75 / 3, 2 / 3))


def test_uncounted_time_is_left_out_of_the_point_and_opens_the_bounds() -> None:
    found = line_oee(36_000, 3_600, _exact(16_200), {1: 60.0}, {1: 60.0})
    assert (found.low, found.point, found.high) == pytest.approx((0.45, 0.5, 0.55))


def test_the_bottleneck_is_the_machine_with_the_largest_ideal_cycle() -> None:
    cycles = {3: {1: 40.0, 2: 50.0}, 4: {1: 60.0, 2: 50.0}, 5: {1: 60.0, 2: 50.0}}
    assert bottleneck(cycles, {1, 2}) == 4
    assert bottleneck(cycles, {2}) == 3, "of equal ones the first"


@pytest.mark.parametrize(
    ("last", "slowest", "words"),
    [
        ({}, {1: 60.0}, "last machine of the line has no ideal cycle"),
        ({1: 30.0}, {}, "no ideal cycle of product 1"),
        ({1: 30.0}, {1: 0.0}, "ideal cycle must be above zero"),
    ],
)
def test_a_cycle_that_is_not_known_is_no_default(
    last: dict[int, float], slowest: dict[int, float], words: str
) -> None:
    with pytest.raises(NotComputable, match=words):
        line_oee(36_000, 0, _exact(12_000), last, slowest)


def test_a_line_without_time_or_machines_is_refused() -> None:
    with pytest.raises(NotComputable, match="planned time of the line"):
        line_oee(0, 0, _exact(0), {1: 1.0}, {1: 1.0})
    with pytest.raises(NotComputable, match="counted time"):
        line_oee(100, 100, _exact(0), {1: 1.0}, {1: 1.0})
    with pytest.raises(NotComputable, match="no ideal cycle is known"):
        bottleneck({}, {1})
