"""Pieces and ideal seconds with their bounds."""

import numpy as np
import pytest

from kpi.facts.basis import FLAG_BRIDGED, FLAG_MIXED, FLAG_RESET, FLAG_ROLLOVER, FLAG_SPIKE
from tests.kpi.builders import (
    BAD,
    GOOD,
    PRODUCT,
    REJECT,
    REWORK,
    STATE,
    TOTAL,
    asset_plan,
    facts,
    planned,
    rising,
    steady,
    tag,
)

TWO = {1: 60.0, 2: 100.0}
COUNTED = asset_plan(tag(TOTAL), tag(REJECT))
MIXED = asset_plan(tag(PRODUCT), tag(TOTAL), cycles=TWO)


def bounds(found: dict[str, np.ndarray], what: str, hour: int = 0) -> tuple[float, float, float]:
    """Ideal seconds of `total` or `good` of one hour as (low, point, high)."""
    names = (f"ideal_{what}_low_s", f"ideal_{what}_s", f"ideal_{what}_high_s")
    low, point, high = (float(found[name][hour]) for name in names)
    return low, point, high


def test_pieces_are_what_the_register_gained_in_each_hour() -> None:
    found = facts(
        COUNTED,
        {TOTAL: rising(-15, 120, 15, 5, 100), REJECT: rising(-15, 120, 15, 1)},
        hours=2,
    )
    assert found["total"].tolist() == [20, 20]
    assert found["reject"].tolist() == [4, 4]
    assert found["good"].tolist() == [16, 16]
    assert bounds(found, "total", 1) == (1200, 1200, 1200)
    assert bounds(found, "good", 1) == (960, 960, 960)
    assert found["uncounted_s"].tolist() == [0, 0]
    assert found["flags"].tolist() == [0, 0]


def test_an_interval_over_the_hour_is_shared_by_time() -> None:
    found = facts(
        COUNTED, {TOTAL: [(0, 0), (45, 0), (75, 30), (120, 30)], REJECT: [(0, 0), (120, 0)]}, 2
    )
    assert found["total"].tolist() == [15, 15]


def test_counts_outside_the_window_stay_outside() -> None:
    rows = {TOTAL: [(-60, 0), (60, 120), (180, 480)], REJECT: [(-60, 0), (180, 0)]}
    assert facts(COUNTED, rows)["total"].tolist() == [60]
    assert facts(COUNTED, rows, first_hour=1)["total"].tolist() == [180]


def test_a_rollover_goes_on_counting() -> None:
    plan = asset_plan(tag(TOTAL, modulus=1000, max_rate_per_s=0.1), tag(REJECT))
    found = facts(plan, {TOTAL: [(0, 990), (30, 998), (60, 6)], REJECT: steady(0, 0, 60)})
    assert found["total"][0] == 16
    assert bounds(found, "total") == (960, 960, 960)
    assert found["flags"][0] == FLAG_ROLLOVER


def test_a_reset_adds_the_new_value_and_opens_the_high_bound_only() -> None:
    plan = asset_plan(tag(TOTAL), tag(REJECT))
    found = facts(plan, {TOTAL: [(0, 500), (20, 510), (40, 6), (60, 12)], REJECT: steady(0, 0, 60)})
    assert found["total"][0] == 10 + 6 + 6
    # In the 20 minutes of the reset at most 20 pieces of 60 s were made, the 6 seen among them.
    assert bounds(found, "total") == (22 * 60, 22 * 60, 36 * 60)
    assert bounds(found, "good") == (22 * 60, 22 * 60, 36 * 60)
    assert bounds(found, "lost") == (0, 0, 0)
    assert found["flags"][0] == FLAG_RESET


def test_a_reset_of_the_reject_register_alone_opens_the_low_bound_of_good() -> None:
    plan = asset_plan(tag(TOTAL), tag(REJECT))
    rows = {
        TOTAL: [(0, 0), (20, 20), (40, 40), (60, 60)],
        REJECT: [(0, 9), (20, 10), (40, 2), (60, 2)],
    }
    found = facts(plan, rows)
    assert found["reject"][0] == 1 + 2
    # All 20 pieces of the reset may have been rejects, and none of the others.
    assert bounds(found, "good") == (39 * 60, 57 * 60, 57 * 60)
    assert bounds(found, "lost") == (3 * 60, 3 * 60, 21 * 60)
    assert bounds(found, "total") == (3600, 3600, 3600)


def test_a_reset_that_is_read_right_before_and_after_opens_these_moments_alone() -> None:
    total = [*rising(0, 30, 1, 1, 500), *rising(31, 60, 1, 1, 1)]
    found = facts(COUNTED, {TOTAL: total, REJECT: steady(0, 0, 60, 1)})
    # One piece was seen in the minute of the reset, and no more fits into it.
    assert bounds(found, "total") == (3600, 3600, 3600)
    lost = [(minute, count) for minute, count in total if minute < 31 or minute > 40]
    found = facts(COUNTED, {TOTAL: lost, REJECT: steady(0, 0, 60, 1)})
    assert bounds(found, "total") == (3600, 3600, 3600), "eleven shown after eleven minutes"


def test_a_reset_of_the_total_alone_leaves_no_fewer_good_units_than_before() -> None:
    rows = {TOTAL: [(0, 90), (30, 100), (60, 2)], REJECT: [(0, 0), (30, 1), (60, 6)]}
    found = facts(COUNTED, rows)
    # The total shows 2 since it began anew, of which 5 cannot have been rejects: 3 went unseen.
    assert found["good"][0] == 9 - 3
    assert bounds(found, "good") == (9 * 60, 6 * 60, 9 * 60 + 25 * 60)
    assert bounds(found, "lost") == (6 * 60, 6 * 60, 6 * 60)


def test_a_reset_of_good_units_leaves_the_counted_total_exact() -> None:
    rows = {TOTAL: [(0, 0), (20, 10), (60, 40)], GOOD: [(0, 400), (20, 8), (60, 36)]}
    found = facts(asset_plan(tag(TOTAL), tag(GOOD)), rows)
    assert bounds(found, "total") == (2400, 2400, 2400)
    # At least eight of the first ten are good; the figure holds the three sums against each other.
    assert bounds(found, "good") == (36 * 60, 36 * 60, 48 * 60)
    assert bounds(found, "lost") == (2 * 60, 4 * 60, 4 * 60)


def test_registers_cut_in_one_moment_are_weighed_together() -> None:
    plan = asset_plan(tag(TOTAL), tag(REJECT), tag(REWORK))
    rows = {
        TOTAL: [(0, 0), (20, 20), (40, 30)],
        REJECT: [(0, 0), (20, 0), (40, 10)],
        REWORK: [(0, 0), (20, 5), (30, 5)],
    }
    found = facts(plan, rows)
    # Rework falls silent between two readings of the others: ten more were made or not by then,
    # and rejected or not, and the 15 good ones stay.
    assert bounds(found, "total") == (20 * 60, 25 * 60, 30 * 60)
    assert bounds(found, "good") == (15 * 60, 15 * 60, 25 * 60)
    assert bounds(found, "lost") == (5 * 60, 10 * 60, 15 * 60)


def test_unseen_rejects_cannot_be_more_than_was_good() -> None:
    plan = asset_plan(tag(TOTAL), tag(REJECT))
    found = facts(plan, {TOTAL: [(0, 0), (60, 10)], REJECT: [(0, 9), (60, 2)]})
    assert bounds(found, "good") == (0, 480, 480)


def test_a_register_that_jumped_for_good_opens_the_high_bound() -> None:
    plan = asset_plan(tag(TOTAL, max_rate_per_s=0.1), tag(REJECT))
    jumped = [(0, 10), (15, 20), (30, 5000), (45, 5005), (60, 5010)]
    found = facts(plan, {TOTAL: jumped, REJECT: steady(0, 0, 60)})
    assert found["total"][0] == 10 + 5 + 5
    assert bounds(found, "total") == (1200, 1200, 1200 + 900)
    assert found["flags"][0] & FLAG_SPIKE


def test_a_spike_is_kept_out_and_what_was_counted_across_it_may_be_off_by_as_much() -> None:
    plan = asset_plan(tag(TOTAL, max_rate_per_s=0.1), tag(REJECT))
    found = facts(
        plan, {TOTAL: [(0, 10), (20, 99_999), (40, 30), (60, 40)], REJECT: steady(0, 0, 60)}
    )
    assert found["total"][0] == 30
    # Twenty pieces of 60 s from 0:00 to 0:40.
    assert bounds(found, "total") == (600, 1800, 3000)
    assert bounds(found, "good") == (600, 1800, 3000)
    assert found["flags"][0] == FLAG_SPIKE


def test_a_piece_that_is_done_between_two_rows_of_a_moment_is_no_spike() -> None:
    plan = asset_plan(tag(TOTAL, max_rate_per_s=0.1), tag(REJECT))
    rows = [(0, 10), (20, 20), (20.1, 21), (60, 40)]
    found = facts(plan, {TOTAL: rows, REJECT: steady(0, 0, 60)})
    assert found["total"][0] == 30
    assert not found["flags"][0] & FLAG_SPIKE


@pytest.mark.parametrize("impossible", [-5.0, 5000.0], ids=["negative", "above its modulus"])
def test_a_value_that_no_counter_shows_is_never_passed_over_in_silence(impossible: float) -> None:
    plan = asset_plan(tag(TOTAL, modulus=1000.0), tag(REJECT))
    found = facts(
        plan, {TOTAL: [(0, 10), (20, impossible), (40, 30), (60, 40)], REJECT: steady(0, 0, 60)}
    )
    assert found["total"][0] == 30
    assert bounds(found, "total") == (600, 1800, 3000)
    assert found["flags"][0] == FLAG_SPIKE


def test_a_negative_count_of_rejects_opens_both_bounds_of_good_alone() -> None:
    found = facts(COUNTED, {TOTAL: [(0, 0), (60, 40)], REJECT: [(0, 0), (30, -1), (60, 10)]})
    assert bounds(found, "total") == (2400, 2400, 2400)
    assert bounds(found, "good") == (1200, 1800, 2400)
    assert found["flags"][0] & FLAG_SPIKE


def test_an_impossible_value_after_the_last_reading_is_flagged_in_its_hour() -> None:
    rows = {TOTAL: [(0, 0), (60, 40), (90, -1)], REJECT: steady(0, 0, 120)}
    found = facts(COUNTED, rows, hours=2)
    assert [bool(flag & FLAG_SPIKE) for flag in found["flags"]] == [False, True]
    assert found["uncounted_s"].tolist() == [0, 3600], "nobody knows what was made then"


def test_reworked_pieces_are_not_good() -> None:
    plan = asset_plan(tag(TOTAL), tag(REJECT), tag(REWORK))
    rows = {TOTAL: rising(0, 60, 15, 10), REJECT: [(0, 0), (60, 3)], REWORK: [(0, 7), (60, 9)]}
    found = facts(plan, rows)
    assert (found["total"][0], found["good"][0], found["reject"][0]) == (40, 35, 5)
    assert bounds(found, "good") == (35 * 60, 35 * 60, 35 * 60)


def test_without_a_total_scrap_rework_and_good_add_up_to_it() -> None:
    plan = asset_plan(tag(GOOD), tag(REJECT), tag(REWORK))
    rows = {GOOD: rising(0, 60, 15, 10), REJECT: [(0, 0), (60, 3)], REWORK: [(0, 0), (60, 2)]}
    found = facts(plan, rows)
    assert (found["total"][0], found["good"][0], found["reject"][0]) == (45, 40, 5)


def test_a_rework_register_that_is_silent_makes_no_piece_good() -> None:
    plan = asset_plan(tag(TOTAL), tag(REJECT), tag(REWORK))
    found = facts(plan, {TOTAL: rising(0, 60, 15, 10), REJECT: [(0, 0), (60, 3)]})
    assert found["uncounted_s"][0] == 3600


def test_where_good_is_counted_rework_says_nothing_more() -> None:
    plan = asset_plan(tag(TOTAL), tag(GOOD), tag(REWORK))
    rows = {TOTAL: rising(0, 60, 15, 10), GOOD: rising(0, 60, 15, 9), REWORK: [(0, 0), (60, 50)]}
    found = facts(plan, rows)
    assert (found["total"][0], found["good"][0]) == (40, 36)


def test_a_gap_is_bridged_exactly_and_flagged() -> None:
    total = [*rising(0, 30, 15, 5), *rising(270, 300, 15, 5, 90)]
    found = facts(COUNTED, {TOTAL: total, REJECT: steady(0, 0, 300)}, hours=5)
    assert found["total"].sum() == 100
    assert found["total"].tolist() == [20, 20, 20, 20, 20]
    assert (found["ideal_total_low_s"] == found["ideal_total_high_s"]).all()
    assert [bool(flag & FLAG_BRIDGED) for flag in found["flags"]] == [True] * 5
    assert found["uncounted_s"].sum() == 0


def test_bad_rows_of_a_register_are_bridged() -> None:
    total = [(0, 0), (15, 5), (30, None), (45, 77_777, BAD), (60, 20)]
    found = facts(COUNTED, {TOTAL: total, REJECT: steady(0, 0, 60)})
    assert found["total"][0] == 20


def test_a_product_change_between_two_readings_opens_both_bounds() -> None:
    found = facts(MIXED, {PRODUCT: [(0, 1), (20, 2), (45, 2)], TOTAL: [(0, 0), (30, 10), (60, 20)]})
    # Ten pieces of either product, then ten of the second.
    assert bounds(found, "total") == (10 * 60 + 1000, 10 * 80 + 1000, 10 * 100 + 1000)
    assert found["flags"][0] & FLAG_MIXED


def test_a_reading_at_the_product_change_makes_it_exact() -> None:
    rows = {PRODUCT: [(0, 1), (20, 2), (45, 2)], TOTAL: [(0, 0), (20, 10), (60, 20)]}
    found = facts(MIXED, rows)
    assert bounds(found, "total") == (1600, 1600, 1600)
    assert not found["flags"][0] & FLAG_MIXED


def test_unlike_products_are_weighted_by_their_ideal_seconds() -> None:
    rows = {
        PRODUCT: [(0, 1), (30, 2)],
        TOTAL: [(0, 0), (30, 10), (60, 20)],
        REJECT: [(0, 0), (30, 0), (60, 2)],
    }
    found = facts(asset_plan(tag(PRODUCT), tag(TOTAL), tag(REJECT), cycles=TWO), rows)
    assert found["good"][0] == 18
    assert bounds(found, "total")[1] == 10 * 60 + 10 * 100
    assert bounds(found, "good")[1] == 10 * 60 + 8 * 100


@pytest.mark.parametrize(
    "product",
    [[], [(-60, 1)], [(0, None)]],
    ids=["never told", "told too long ago", "bad"],
)
def test_pieces_of_a_product_that_nobody_told_may_be_any_in_the_plan(
    product: list[tuple[float, float | None]],
) -> None:
    found = facts(MIXED, {PRODUCT: product, TOTAL: [(0, 0), (60, 10)]})
    assert bounds(found, "total") == (600, 800, 1000)


@pytest.mark.parametrize("number", [7, 1.5])
def test_pieces_of_a_product_outside_the_plan_may_stand_for_nothing(number: float) -> None:
    one_product = asset_plan(tag(PRODUCT), tag(TOTAL))
    found = facts(one_product, {PRODUCT: steady(number, 0, 60), TOTAL: [(0, 0), (60, 10)]})
    assert bounds(found, "total") == (0, 600, 600)


def test_without_a_product_tag_several_products_open_the_bounds() -> None:
    found = facts(asset_plan(tag(TOTAL), cycles=TWO), {TOTAL: [(0, 0), (60, 10)]})
    assert bounds(found, "total") == (600, 800, 1000)


def test_good_and_total_registers_give_the_rejects() -> None:
    rows = {TOTAL: [(0, 0), (60, 50)], GOOD: [(0, 0), (60, 45)], REJECT: [(0, 0), (60, 9)]}
    found = facts(asset_plan(tag(TOTAL), tag(GOOD), tag(REJECT)), rows)
    assert (found["total"][0], found["good"][0], found["reject"][0]) == (50, 45, 5)
    assert bounds(found, "good")[1] == 45 * 60


def test_a_good_register_alone_is_not_reduced_by_the_rejects() -> None:
    rows = {GOOD: [(0, 0), (60, 45)], REJECT: [(0, 0), (60, 5)]}
    found = facts(asset_plan(tag(GOOD), tag(REJECT)), rows)
    assert (found["total"][0], found["good"][0], found["reject"][0]) == (50, 45, 5)
    assert bounds(found, "total") == (3000, 3000, 3000)
    assert bounds(found, "good") == (2700, 2700, 2700)


def test_rejects_that_are_found_an_hour_later_count_when_they_are_found() -> None:
    rows = {TOTAL: [(0, 0), (60, 20), (120, 20)], REJECT: [(0, 0), (60, 0), (120, 3)]}
    found = facts(COUNTED, rows, hours=2)
    assert found["good"].tolist() == [20, -3]
    assert bounds(found, "good", 1) == (-180, -180, -180)


def test_the_bounds_of_more_rejects_than_pieces_stay_in_order() -> None:
    rows = {PRODUCT: [(0, 1), (30, 2)], TOTAL: [(0, 0), (60, 2)], REJECT: [(0, 0), (60, 5)]}
    found = facts(asset_plan(tag(PRODUCT), tag(TOTAL), tag(REJECT), cycles=TWO), rows)
    # Three pieces less than none, of 60 s, 80 s or 100 s each.
    assert bounds(found, "good") == (-300, -240, -180)


def test_time_before_the_first_and_after_the_last_reading_is_uncounted() -> None:
    rows = {TOTAL: [(20, 0), (50, 10)], REJECT: steady(0, 0, 60)}
    found = facts(COUNTED, rows, calendar=planned((10, 55)))
    assert found["uncounted_s"][0] == (10 + 5) * 60
    assert found["total"][0] == 10


@pytest.mark.parametrize("total", [[], [(30, 5)]], ids=["no reading", "one reading"])
def test_without_a_pair_of_readings_an_hour_is_uncounted(total: list[tuple[float, float]]) -> None:
    found = facts(COUNTED, {TOTAL: total, REJECT: steady(0, 0, 60)})
    assert found["uncounted_s"][0] == 3600
    assert found["ideal_total_s"][0] == 0


def test_a_reject_register_that_falls_silent_does_not_make_all_pieces_good() -> None:
    rows = {TOTAL: rising(0, 120, 15, 5), REJECT: rising(0, 60, 15, 1)}
    found = facts(COUNTED, rows, hours=2)
    assert (found["total"][0], found["good"][0]) == (20, 16)
    assert found["uncounted_s"].tolist() == [0, 3600]
    assert (found["total"][1], found["ideal_good_s"][1]) == (0, 0)


def test_a_reject_register_that_comes_later_counts_from_then_on() -> None:
    rows = {TOTAL: rising(0, 120, 15, 5), REJECT: rising(90, 120, 15, 1)}
    found = facts(COUNTED, rows, hours=2)
    assert found["uncounted_s"].tolist() == [3600, 1800]
    assert (found["total"][1], found["good"][1]) == (10, 8)


def test_the_readings_of_a_total_around_silent_rejects_open_both_bounds() -> None:
    rows = {TOTAL: [(0, 0), (60, 30)], REJECT: [(0, 0), (20, 2)]}
    found = facts(COUNTED, rows)
    # In the 20 minutes that both counted, up to 20 of the 30 pieces; 2 were rejects.
    assert bounds(found, "total") == (0, 600, 1200)
    assert bounds(found, "good") == (0, 480, 1080)
    assert bounds(found, "lost") == (120, 120, 120)
    assert found["uncounted_s"].tolist() == [2400]


def test_rejects_that_may_come_from_before_the_total_open_good_alone() -> None:
    rows = {TOTAL: [(30, 0), (60, 30)], REJECT: [(0, 0), (60, 40)]}
    found = facts(COUNTED, rows)
    assert bounds(found, "total") == (1800, 1800, 1800)
    # Ten to thirty of the rejects came in the time of the total.
    assert bounds(found, "good") == (0, 600, 1200)


def test_a_cut_between_two_readings_is_opened_in_the_hour_outside() -> None:
    rows = {TOTAL: rising(0, 60, 15, 5), REJECT: [(0, 0), (90, 9)]}
    found = facts(COUNTED, rows, hours=2)
    assert bounds(found, "good", 0) == (14 * 60, 14 * 60, 14 * 60)
    assert bounds(found, "good", 1) == (-180, 0, 360)


def test_registers_that_are_read_a_second_apart_open_a_second() -> None:
    second = 1 / 60
    rows = {
        TOTAL: rising(0, 60, 15, 5),
        REJECT: [(minute + second, count) for minute, count in rising(0, 60, 15, 1)],
    }
    low, point, high = bounds(facts(COUNTED, rows), "good")
    assert point == pytest.approx(16 * 60, abs=1)
    assert (low, high) == pytest.approx((point, point), abs=2)


def test_resets_of_total_and_good_together_leave_the_rejects_open_by_both() -> None:
    rows = {TOTAL: [(0, 500), (20, 10), (60, 40)], GOOD: [(0, 400), (20, 8), (60, 36)]}
    found = facts(asset_plan(tag(TOTAL), tag(GOOD)), rows)
    assert bounds(found, "good") == (36 * 60, 36 * 60, 48 * 60)
    assert bounds(found, "total") == (40 * 60, 40 * 60, 50 * 60)
    # Of the 20 pieces that the reset leaves time for, 8 were good.
    assert bounds(found, "lost") == (2 * 60, 4 * 60, 14 * 60)


def test_the_ratio_of_a_register_gives_primary_units() -> None:
    found = facts(asset_plan(tag(TOTAL, ratio=4.0)), {TOTAL: [(0, 0), (60, 10)]})
    assert found["total"][0] == 40


def test_an_asset_without_counters_has_no_counts_rather_than_none_made() -> None:
    found = facts(asset_plan(tag(STATE), tag(REJECT)), {STATE: steady(1, 0, 60)})
    for name in ("total", "good", "reject", "ideal_total_s", "ideal_good_low_s"):
        assert np.isnan(found[name]).all()
    assert found["uncounted_s"].tolist() == [0]
