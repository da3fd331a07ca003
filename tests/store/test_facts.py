"""Claiming dirty hours, writing facts, and adding them up by local day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import store
from store import batches, facts, records
from store.errors import Refused, StoreUnavailable
from tests.store.samples import START, Gateway, count, micros, one_row, rows_of

_HOUR = timedelta(hours=1)
_LATER = START + timedelta(days=365)
_ZONE = "Asia/Shanghai"


@pytest.fixture
def asset_id(db: store.Connection, gateway: Gateway) -> int:
    """The first machine, with its hours 0, 1 and 2 dirty."""
    batches.accept(db, gateway.batch(rows_of([gateway.tags["M01.total"]], 130)))
    (found,) = facts.dirty_assets(db, _LATER)
    return found


def hour_facts(start: datetime, hours: int, **columns: Any) -> dict[str, Any]:
    """Return facts of hours in which the asset ran, with some columns changed."""
    made: dict[str, Any] = {name: np.zeros(hours) for name in facts.FACT_COLUMNS}
    made["planned_s"] = made["run_s"] = np.full(hours, 3600.0)
    return made | {"hour_us": micros(start) + 3_600_000_000 * np.arange(hours)} | columns


def written(db: store.Connection) -> list[tuple[Any, ...]]:
    return db.execute("SELECT asset_id, hour, total FROM kpi.fact_hour ORDER BY 1, 2").fetchall()


def test_only_hours_that_have_ended_are_dirty(db: store.Connection, asset_id: int) -> None:
    assert facts.dirty_assets(db, START) == []
    assert facts.dirty_assets(db, START + timedelta(microseconds=1)) == [asset_id]
    with facts.claimed(db, asset_id, START + 2 * _HOUR) as dirty:
        assert dirty == facts.DirtyHours("sample", asset_id, [START, START + _HOUR])
    # What had not ended stays marked.
    with facts.claimed(db, asset_id, START + 2 * _HOUR) as dirty:
        assert dirty is None
    with facts.claimed(db, asset_id, _LATER) as dirty:
        assert dirty == facts.DirtyHours("sample", asset_id, [START + 2 * _HOUR])
    assert facts.dirty_assets(db, _LATER) == []


@pytest.mark.parametrize(
    ("minutes", "hours"), [(0, 0), (1, 1), (60, 1), (61, 2), (120, 2), (121, 3), (180, 3), (999, 3)]
)
def test_an_hour_counts_once_it_has_begun_before_the_limit(
    db: store.Connection, asset_id: int, minutes: int, hours: int
) -> None:
    before = START + timedelta(minutes=minutes)
    with facts.claimed(db, asset_id, before) as dirty:
        assert (0 if dirty is None else len(dirty.hours)) == hours
    with facts.claimed(db, asset_id, _LATER) as rest:
        assert (0 if rest is None else len(rest.hours)) == 3 - hours


def test_an_hour_marked_many_times_is_claimed_once(
    db: store.Connection, gateway: Gateway, asset_id: int
) -> None:
    for minute in range(3):
        at = START + timedelta(minutes=minute)
        batches.accept(db, gateway.batch(one_row(gateway.tags["M01.power"], at, 1)))
    assert count(db, "kpi.dirty_hour") == 4
    with facts.claimed(db, asset_id, _LATER) as dirty:
        assert dirty is not None
        assert dirty.hours == [START, START + _HOUR, START + 2 * _HOUR]
    assert count(db, "kpi.dirty_hour") == 0


def test_two_workers_never_hold_one_asset(
    db: store.Connection, second: store.Connection, gateway: Gateway, asset_id: int
) -> None:
    batches.accept(db, gateway.batch(one_row(gateway.tags["M02.total"], START, 1)))
    other_id = next(found for found in facts.dirty_assets(db, _LATER) if found != asset_id)
    with facts.claimed(db, asset_id, _LATER) as mine:
        assert mine is not None
        with facts.claimed(second, asset_id, _LATER) as theirs:
            assert theirs is None
        with facts.claimed(second, other_id, _LATER) as free:
            assert free is not None
    with facts.claimed(second, asset_id, _LATER) as after:
        assert after is None


def test_a_mark_that_comes_while_a_worker_computes_stays(
    db: store.Connection, second: store.Connection, gateway: Gateway, asset_id: int
) -> None:
    with facts.claimed(db, asset_id, _LATER) as dirty:
        assert dirty is not None
        # Ingest does not wait for the worker either.
        late = gateway.batch(one_row(gateway.tags["M01.power"], START, 1))
        assert batches.accept(second, late).outcome == "accepted"
        with facts.claimed(second, asset_id, _LATER) as theirs:
            assert theirs is None
    with facts.claimed(db, asset_id, _LATER) as again:
        assert again is not None
        assert again.hours == [START]


def test_marks_and_facts_stay_as_they_were_when_the_work_fails(
    db: store.Connection, asset_id: int
) -> None:
    with pytest.raises(ZeroDivisionError):
        _compute_and_fail(db, asset_id)
    assert written(db) == []
    with facts.claimed(db, asset_id, _LATER) as dirty:
        assert dirty is not None
        assert len(dirty.hours) == 3


def _compute_and_fail(db: store.Connection, asset_id: int) -> None:
    with facts.claimed(db, asset_id, _LATER):
        facts.replace(db, asset_id, START, START + 3 * _HOUR, hour_facts(START, 3))
        raise ZeroDivisionError


def test_a_worker_that_dies_leaves_the_marks(
    db: store.Connection, second: store.Connection, asset_id: int
) -> None:
    with pytest.raises(StoreUnavailable):
        _claim_and_die(second, asset_id, db)
    with facts.claimed(db, asset_id, _LATER) as dirty:
        assert dirty is not None
        assert len(dirty.hours) == 3


def _claim_and_die(dying: store.Connection, asset_id: int, killer: store.Connection) -> None:
    with facts.claimed(dying, asset_id, _LATER) as dirty:
        assert dirty is not None
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", (dying.info.backend_pid,))


def test_facts_take_the_place_of_those_before(db: store.Connection, asset_id: int) -> None:
    total = np.arange(5.0)
    facts.replace(db, asset_id, START, START + 5 * _HOUR, hour_facts(START, 5, total=total))
    middle = hour_facts(START + _HOUR, 2, total=np.array([np.nan, 20.0]))
    facts.replace(db, asset_id, START + _HOUR, START + 3 * _HOUR, middle)
    assert [row[2] for row in written(db)] == [0, None, 20, 3, 4]
    other = hour_facts(START, 1, total=np.array([7.0]))
    facts.replace(db, asset_id + 1, START, START + _HOUR, other)
    assert len(written(db)) == 6


def test_facts_that_do_not_add_up_are_refused(db: store.Connection, asset_id: int) -> None:
    wrong = hour_facts(START, 1, run_s=np.array([3599.0]))
    with pytest.raises(Refused, match="violates check constraint"):
        facts.replace(db, asset_id, START, START + _HOUR, wrong)
    assert written(db) == []


def test_day_sums_follow_the_local_day(
    db: store.Connection, factory_id: int, asset_id: int
) -> None:
    # Midnight in Shanghai is 16:00 UTC.
    start = datetime(2026, 3, 1, 14, tzinfo=UTC)
    total = np.array([1.0, 2.0, 4.0, 8.0])
    energy = np.array([0.5, np.nan, np.nan, np.nan])
    flags = np.array([1, 2, 4, 4])
    made = hour_facts(start, 4, total=total, energy=energy, flags=flags, row_count=np.ones(4))
    facts.replace(db, asset_id, start, start + 4 * _HOUR, made)
    sums = facts.day_sums(db, factory_id, _ZONE, start - timedelta(days=2), start + 9 * _HOUR)
    first_day = (date(2026, 3, 1) - date(1970, 1, 1)).days
    assert sums["asset_id"].tolist() == [asset_id] * 2
    assert sums["day"].tolist() == [first_day, first_day + 1]
    assert sums["total"].tolist() == [3, 12]
    assert sums["energy"].tolist() == [0.5, 0]
    assert sums["energy_hours"].tolist() == [1, 0]
    assert sums["hours"].tolist() == [2, 2]
    assert sums["flags"].tolist() == [3, 4]
    assert sums["run_s"].tolist() == [7200, 7200]


def test_hours_from_before_lost_units_were_kept_tell_them_by_all_and_good_ones(
    db: store.Connection, factory_id: int, asset_id: int
) -> None:
    def each(**numbers: float) -> dict[str, Any]:
        return {f"ideal_{name}_s": np.array([number]) for name, number in numbers.items()}

    unknown = each(lost=np.nan, lost_low=np.nan, lost_high=np.nan)
    made = each(total=120, total_low=100, total_high=140, good=105, good_low=80, good_high=130)
    facts.replace(db, asset_id, START, START + _HOUR, hour_facts(START, 1, **made, **unknown))
    kept = each(total=120, good=105, lost=15, lost_low=14, lost_high=16)
    since = START + _HOUR
    facts.replace(db, asset_id, since, since + _HOUR, hour_facts(since, 1, **kept))
    sums = facts.day_sums(db, factory_id, _ZONE, START, START + 2 * _HOUR)
    found = [sums[f"ideal_lost{side}_s"].sum() for side in ("_low", "", "_high")]
    assert found == [10 + 14, 15 + 15, 20 + 16]


def test_day_sums_are_of_one_factory_and_window(
    db: store.Connection, factory_id: int, asset_id: int
) -> None:
    facts.replace(db, asset_id, START, START + 48 * _HOUR, hour_facts(START, 48))
    window = START + 8 * _HOUR, START + 32 * _HOUR
    assert facts.day_sums(db, factory_id, _ZONE, *window)["hours"].sum() == 24
    assert len(facts.day_sums(db, factory_id + 1, _ZONE, *window)["hours"]) == 0


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(6)), seed=st.integers(0, 9))
def test_day_sums_do_not_depend_on_the_order_of_writing(
    db: store.Connection, factory_id: int, asset_id: int, order: list[int], seed: int
) -> None:
    # A sum that differs in its last bit would make a new revision of a figure. Over much data
    # the planner reads whole tables as they lie on disk: here it is told to.
    db.execute("SET enable_indexscan = off")
    db.execute("SET enable_bitmapscan = off")
    start = START - timedelta(hours=8)
    size = np.random.default_rng(seed).lognormal(0, 8, 24)
    made = hour_facts(start, 24, ideal_good_s=size)
    facts.replace(db, asset_id, start, start + 24 * _HOUR, made)
    at_once = facts.day_sums(db, factory_id, _ZONE, start, start + 24 * _HOUR)
    for part in order:
        piece = slice(4 * part, 4 * part + 4)
        first = start + 4 * part * _HOUR
        columns = {name: column[piece] for name, column in made.items()}
        facts.replace(db, asset_id, first, first + 4 * _HOUR, columns)
    in_parts = facts.day_sums(db, factory_id, _ZONE, start, start + 24 * _HOUR)
    assert at_once["ideal_good_s"].tolist() == in_parts["ideal_good_s"].tolist()
    assert at_once["ideal_good_s"].tolist() == [np.add.accumulate(size)[-1]]


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2026-03-01T00:00+08:00", "2026-03-02T00:00+08:00", [3]),
        ("2026-03-31T23:00+08:00", "2026-04-01T00:00+08:00", [3]),
        ("2026-03-31T16:00+00:00", "2026-03-31T17:00+00:00", [4]),
        ("2026-01-15T00:00+08:00", "2026-04-01T00:01+08:00", [1, 2, 3, 4]),
    ],
)
def test_months_are_local(
    db: store.Connection, factory_id: int, start: str, end: str, months: list[int]
) -> None:
    window = datetime.fromisoformat(start), datetime.fromisoformat(end)
    facts.mark_dirty_months(db, factory_id, _ZONE, *window)
    facts.mark_dirty_months(db, factory_id, _ZONE, *window)
    assert records.dirty_factories(db) == [factory_id]
    assert records.take_dirty(db, factory_id) == ([], [date(2026, month, 1) for month in months])
    assert records.dirty_factories(db) == []
