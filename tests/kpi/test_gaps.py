"""The gap report: unchanged, bad and not collected are three different things."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import store
from kpi import gaps
from kpi.errors import NotComputable
from store import registry
from tests.kpi.builders import BAD, MINUTE_US, POWER, START, START_US, rows, tag
from tests.kpi.plant import Plant, china, every

HEARTBEAT_MIN = 15
HOLD_MIN = 3 * HEARTBEAT_MIN


def of(found: list[tuple[object, ...]], minutes: int = 240) -> gaps.TagGaps:
    """Return the gaps of a tag with a heartbeat of 15 minutes."""
    return gaps.gaps_of(tag(POWER), rows({POWER: found}), START_US, START_US + minutes * MINUTE_US)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def test_an_unchanged_value_that_is_heard_of_has_no_gap() -> None:
    found = of([(minute, 5.0) for minute in range(0, 240, HEARTBEAT_MIN)])
    assert found.gaps == ()
    assert (found.good_s, found.bad_s, found.not_collected_s) == (240 * 60, 0, 0)


def test_silence_is_not_collected_from_the_end_of_the_hold_on() -> None:
    found = of([(0, 5.0), (200, 6.0)])
    assert found.gaps == (gaps.Gap("not_collected", at(HOLD_MIN), at(200)),)


def test_a_bad_status_is_told_apart_from_silence() -> None:
    found = of([(0, 5.0), (10, None, BAD), (20, None, BAD), (30, 5.0), (60, 5.0)], minutes=120)
    assert found.gaps == (
        gaps.Gap("bad", at(10), at(30)),
        gaps.Gap("not_collected", at(60 + HOLD_MIN), at(120)),
    )
    assert found.bad_s == 20 * 60


def test_a_tag_that_was_never_heard_of_is_one_gap() -> None:
    found = of([])
    assert found.rows == 0
    assert found.gaps == (gaps.Gap("not_collected", at(0), at(240)),)


def test_a_row_before_the_window_speaks_into_it() -> None:
    found = of([(-10, 5.0)], minutes=60)
    assert found.rows == 0
    assert found.gaps == (gaps.Gap("not_collected", at(HOLD_MIN - 10), at(60)),)


@given(
    st.lists(
        st.tuples(st.integers(-60, 300), st.sampled_from([(1.0, 0), (None, BAD)])),
        unique_by=lambda row: row[0],
        max_size=40,
    )
)
def test_the_kinds_of_time_fill_the_window_and_gaps_are_what_is_not_good(
    drawn: list[tuple[int, tuple[float | None, int]]],
) -> None:
    found = of([(minute, *rest) for minute, rest in sorted(drawn)])
    assert found.good_s + found.bad_s + found.not_collected_s == 240 * 60
    lost_s = sum((gap.end - gap.start).total_seconds() for gap in found.gaps)
    assert lost_s == found.bad_s + found.not_collected_s
    for one, following in zip(found.gaps, found.gaps[1:], strict=False):
        assert one.end < following.start or one.kind != following.kind


def test_of_very_many_gaps_the_longest_are_named_and_all_are_counted() -> None:
    minutes = 3000
    found = of([(m, 1.0 if m % 2 else None, 0 if m % 2 else BAD) for m in range(minutes)], minutes)
    assert found.gap_count == minutes // 2
    assert len(found.gaps) == 1000


def test_the_report_of_a_factory_names_every_tag_of_its_plan(plant: Plant) -> None:
    start, end = china("2026-03-02 08:00"), china("2026-03-02 12:00")
    plant.send({"M01.state": every(15, start, china("2026-03-02 10:00"))})
    factory = registry.factory_by_code(plant.conn, "sample")
    found = gaps.report(plant.conn, factory, start, end)
    assert [one.tag for one in found] == sorted(plant.gateway.tags)
    by_tag = {one.tag: one for one in found}
    (gap,) = by_tag["M01.state"].gaps
    assert gap == gaps.Gap("not_collected", china("2026-03-02 10:30"), end)
    assert by_tag["M02.state"].not_collected_s == 4 * 3600


@pytest.mark.parametrize("days", [0, 32])
def test_a_window_that_is_empty_or_too_long_is_refused(plant: Plant, days: int) -> None:
    factory = registry.factory_by_code(plant.conn, "sample")
    start = datetime(2026, 3, 2, tzinfo=UTC)
    with pytest.raises(NotComputable, match="at most 31 days"):
        gaps.report(plant.conn, factory, start, start + timedelta(days=days))


def test_an_unknown_tag_is_named(db: store.Connection, plant: Plant) -> None:
    factory = registry.factory_by_code(db, "sample")
    start = datetime(2026, 3, 2, tzinfo=UTC)
    with pytest.raises(NotComputable, match="M99"):
        gaps.report(db, factory, start, start + timedelta(days=1), ["M99"])
