"""Revisions of figures, verdicts, and the feed that says what changed."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date
from typing import Any

import pytest

import store
import store.feed
from store import figures
from store.errors import Refused
from store.feed import Happened
from store.figures import NewFigure, NewVerdict
from tests.store.samples import with_plan
from tests.support.waiting import wait_for

_TIMEOUT_S = 30


def new_figure(factory_id: int, good_s: float = 750.0, **changed: Any) -> NewFigure:
    """Return the OEE of March 2026 as formed from some good seconds of 1000."""
    inputs = {"good_s": good_s, "planned_s": 1000.0}
    fields: dict[str, Any] = {
        "factory_id": factory_id,
        "kpi": "oee",
        "period_kind": "month",
        "period_start": date(2026, 3, 1),
        "period_end": date(2026, 4, 1),
        "unit": "1",
        "point": good_s / 1000,
        "low": good_s / 1000 - 0.01,
        "high": good_s / 1000 + 0.01,
        "coverage": 0.97,
        "grade": "A",
        "reason": None,
        "method_version": "M1",
        "coefficient_version": "C1",
        "inputs": inputs,
        "inputs_sha256": hashlib.sha256(repr(inputs).encode()).digest(),
    }
    return NewFigure(**fields | changed)


def march(conn: store.Connection, factory_id: int) -> list[tuple[int, float | None]]:
    """Return the revisions of March as (revision, point)."""
    found = figures.revisions(conn, factory_id, "oee", "month", date(2026, 3, 1))
    return [(figure.revision, figure.point) for figure in found]


def feed(conn: store.Connection, cursor: int = 0, **filters: Any) -> list[Happened]:
    return store.feed.since(conn, cursor, **filters)


def test_a_figure_is_read_as_it_was_published(db: store.Connection, factory_id: int) -> None:
    new = new_figure(factory_id)
    number = figures.publish(db, new, is_open=False)
    (found,) = figures.latest(db, factory_id)
    assert (found.figure_id, found.revision) == (number, 1)
    for name in NewFigure.__dataclass_fields__:
        assert getattr(found, name) == getattr(new, name), name


def test_an_open_period_keeps_one_provisional_revision(
    db: store.Connection, factory_id: int
) -> None:
    first = figures.publish(db, new_figure(factory_id, 700), is_open=True)
    again = figures.publish(db, new_figure(factory_id, 710), is_open=True)
    assert again == first
    assert march(db, factory_id) == [(0, 0.71)]
    assert feed(db) == []


def test_a_provisional_figure_is_written_only_when_its_inputs_differ(
    db: store.Connection, factory_id: int
) -> None:
    figures.publish(db, new_figure(factory_id), is_open=True)
    (before,) = figures.latest(db, factory_id)
    figures.publish(db, new_figure(factory_id), is_open=True)
    assert figures.latest(db, factory_id) == [before]


def test_a_period_that_closes_gets_a_revision_though_nothing_changed(
    db: store.Connection, factory_id: int
) -> None:
    figures.publish(db, new_figure(factory_id), is_open=True)
    figures.publish(db, new_figure(factory_id), is_open=False)
    assert march(db, factory_id) == [(0, 0.75), (1, 0.75)]
    (change,) = feed(db)
    assert (change.what, change.before) == ("figure", None)


def test_a_closed_period_gets_a_revision_only_when_its_inputs_differ(
    db: store.Connection, factory_id: int
) -> None:
    points = (750, 750, 760, 760, 750)
    numbers = [
        figures.publish(db, new_figure(factory_id, good_s), is_open=False) for good_s in points
    ]
    assert march(db, factory_id) == [(1, 0.75), (2, 0.76), (3, 0.75)]
    assert numbers[0] == numbers[1]
    assert numbers[2] == numbers[3]
    assert len(set(numbers)) == 3
    assert [figure.revision for figure in figures.latest(db, factory_id)] == [3]


@pytest.mark.parametrize("version", ["method_version", "coefficient_version"])
def test_another_method_is_another_revision(
    db: store.Connection, factory_id: int, version: str
) -> None:
    figures.publish(db, new_figure(factory_id), is_open=False)
    changed: dict[str, Any] = {version: "next"}
    figures.publish(db, new_figure(factory_id, **changed), is_open=False)
    assert march(db, factory_id) == [(1, 0.75), (2, 0.75)]


def test_the_feed_shows_before_and_after(db: store.Connection, factory_id: int) -> None:
    first = figures.publish(db, new_figure(factory_id, 750), is_open=False)
    lost = new_figure(
        factory_id, 760, point=None, low=None, high=None, coverage=0.5, grade="D", reason="gap"
    )
    second = figures.publish(db, lost, is_open=False)
    one, two = feed(db)
    formed_at = {
        each.revision: f"{each.computed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        for each in figures.revisions(db, factory_id, "oee", "month", date(2026, 3, 1))
    }
    by = {"method_version": "M1", "coefficient_version": "C1"}
    shown = {"point": 0.75, "low": 0.74, "high": 0.76, "unit": "1", "coverage": 0.97}
    shown |= by | {"grade": "A", "reason": None, "formed_at": formed_at[1]}
    unknown = {"point": None, "low": None, "high": None, "unit": "1", "coverage": 0.5}
    unknown |= by | {"grade": "D", "reason": "gap", "formed_at": formed_at[2]}
    assert (one.before, one.after, one.figure_id) == (None, shown, first)
    assert (two.before, two.after, two.figure_id) == (shown, unknown, second)
    assert (two.factory, two.kpi, two.what, two.period_kind) == ("sample", "oee", "figure", "month")
    assert (two.period_start, two.period_end) == (date(2026, 3, 1), date(2026, 4, 1))
    assert two.cursor > one.cursor


def test_many_figures_at_once(db: store.Connection, factory_id: int) -> None:
    kept = figures.publish(db, new_figure(factory_id), is_open=False)
    quality = new_figure(factory_id, 900, kpi="quality")
    april = {"period_start": date(2026, 4, 1), "period_end": date(2026, 5, 1)}
    open_month = new_figure(factory_id, 800, **april)
    formed = [(quality, False), (new_figure(factory_id), False), (open_month, True)]
    numbers = figures.publish_all(db, factory_id, formed)
    assert numbers[1] == kept
    by_number = {figure.figure_id: figure for figure in figures.latest(db, factory_id)}
    assert [by_number[number].kpi for number in numbers] == ["quality", "oee", "oee"]
    assert [by_number[number].revision for number in numbers] == [1, 1, 0]
    assert [change.kpi for change in feed(db)] == ["oee", "quality"]
    assert figures.publish_all(db, factory_id, []) == []


def test_a_window_chooses_figures(db: store.Connection, factory_id: int) -> None:
    march_figure, year = date(2026, 3, 1), date(2025, 4, 1)
    figures.publish(db, new_figure(factory_id), is_open=False)
    figures.publish(
        db, new_figure(factory_id, period_kind="rolling12", period_start=year), is_open=False
    )

    def starts(**window: Any) -> list[date]:
        return sorted(f.period_start for f in figures.latest(db, factory_id, **window))

    assert starts() == [year, march_figure]
    assert starts(period_kind="month") == [march_figure]
    assert starts(kpi="quality") == []
    assert starts(until=march_figure) == [year]
    assert starts(since=date(2026, 4, 1)) == []
    assert starts(since=date(2026, 3, 31), until=date(2026, 4, 1)) == [year, march_figure]


@pytest.mark.parametrize(
    "changed",
    [
        {"point": None},
        {"reason": "why"},
        {"low": 0.9},
        {"high": 0.1},
        {"coverage": 1.01},
        {"grade": "E"},
        {"period_kind": "week"},
        {"period_end": date(2026, 3, 1)},
    ],
    ids=str,
)
def test_a_figure_that_contradicts_itself_is_refused(
    db: store.Connection, factory_id: int, changed: dict[str, Any]
) -> None:
    with pytest.raises(Refused):
        figures.publish(db, new_figure(factory_id, **changed), is_open=False)
    assert figures.latest(db, factory_id) == []


def test_two_workers_with_one_figure_publish_it_once(
    db: store.Connection, second: store.Connection, factory_id: int
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with store.transaction(db):
            first = figures.publish(db, new_figure(factory_id), is_open=False)
            later = threads.submit(figures.publish, second, new_figure(factory_id), is_open=False)
            _wait_for_a_lock(db)
        assert later.result(_TIMEOUT_S) == first
    assert march(db, factory_id) == [(1, 0.75)]
    assert len(feed(db)) == 1


def test_a_cursor_never_passes_a_change_that_is_still_coming(
    db: store.Connection, second: store.Connection, database_url: str, factory_id: int
) -> None:
    with closing(store.connect(database_url)) as reader, ThreadPoolExecutor(1) as threads:
        other_id = with_plan(db, "other")
        with store.transaction(db):
            figures.publish(db, new_figure(factory_id), is_open=False)
            later = threads.submit(figures.publish, second, new_figure(other_id), is_open=False)
            _wait_for_a_lock(db)
            # The other has a cursor of its own only once this one is there for readers.
            assert feed(reader) == []
        later.result(_TIMEOUT_S)
        changes = feed(reader)
        assert [change.factory for change in changes] == ["sample", "other"]
        assert changes[0].cursor < changes[1].cursor


def _wait_for_a_lock(conn: store.Connection) -> None:
    def somebody_waits() -> bool:
        row = conn.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone()
        return row == (1,)

    wait_for(somebody_waits, "the other worker to wait for a lock")


def test_pages_of_the_feed_join_without_gap(db: store.Connection, factory_id: int) -> None:
    other_id = with_plan(db, "other")
    for good_s in range(700, 705):
        figures.publish(db, new_figure(factory_id, good_s), is_open=False)
        figures.publish(db, new_figure(other_id, good_s), is_open=False)
    whole = feed(db)
    assert len(whole) == 10
    seen: list[Happened] = []
    while page := feed(db, seen[-1].cursor if seen else 0, most=3):
        seen += page
    assert seen == whole
    assert {change.factory for change in feed(db, factory="other")} == {"other"}
    assert len(feed(db, factory="other")) == 5
    assert feed(db, factory="nobody") == []


# Verdicts


def new_verdict(factory_id: int, figure_id: int, **changed: Any) -> NewVerdict:
    fields: dict[str, Any] = {
        "factory_id": factory_id,
        "kpi": "oee",
        "period_start": date(2025, 4, 1),
        "period_end": date(2026, 4, 1),
        "figure_id": figure_id,
        "before_value": 0.61,
        "before_basis": "declared",
        "expected_value": 0.78,
        "reported_value": 0.775,
        "fulfilment": 0.8,
        "fulfilment_low": 0.7,
        "fulfilment_high": 0.9,
        "fulfilment_verdict": "partly",
        "deviation": 0.03,
        "consistency_verdict": "same",
        "policy_version": "2026.1",
        "reasons": [],
    }
    return NewVerdict(**fields | changed)


@pytest.fixture
def figure_id(db: store.Connection, factory_id: int) -> int:
    """A published figure of a rolling year."""
    year = new_figure(factory_id, period_kind="rolling12", period_start=date(2025, 4, 1))
    return figures.publish(db, year, is_open=False)


def test_verdicts_are_fed_only_when_their_word_changes(
    db: store.Connection, factory_id: int, figure_id: int
) -> None:
    cursor = feed(db)[-1].cursor
    verdict = new_verdict(factory_id, figure_id)
    figures.decide(db, verdict)
    first = feed(db, cursor)
    assert [(change.what, change.before, change.after) for change in first] == [
        ("fulfilment", None, {"verdict": "partly", "fulfilment": 0.8}),
        ("consistency", None, {"verdict": "same", "deviation": 0.03}),
    ]
    assert {change.period_kind for change in first} == {"rolling12"}
    # The same again, and other numbers under the same words.
    figures.decide(db, verdict)
    figures.decide(db, replace(verdict, fulfilment=0.85, deviation=0.02))
    assert feed(db, first[-1].cursor) == []
    figures.decide(db, replace(verdict, consistency_verdict="false", deviation=0.4))
    (change,) = feed(db, first[-1].cursor)
    assert change.before == {"verdict": "same", "deviation": 0.02}
    assert change.after == {"verdict": "false", "deviation": 0.4}


def test_a_verdict_takes_the_place_of_the_one_before(
    db: store.Connection, factory_id: int, figure_id: int
) -> None:
    figures.decide(db, new_verdict(factory_id, figure_id))
    later = new_verdict(factory_id, figure_id, fulfilment_verdict="met", fulfilment=1.0)
    figures.decide(db, later)
    (found,) = figures.verdicts(db, factory_id)
    for name in NewVerdict.__dataclass_fields__:
        assert getattr(found, name) == getattr(later, name), name


def test_what_was_decided_before_is_kept_with_its_policy(
    db: store.Connection, factory_id: int, figure_id: int
) -> None:
    first = new_verdict(factory_id, figure_id, policy_version="P1")
    figures.decide(db, first)
    figures.decide(db, first)
    assert figures.past_verdicts(db, factory_id, "oee", first.period_start) == []
    why: list[dict[str, str | None]] = [{"about": "fulfilment", "code": "bounds", "text": None}]
    later = replace(first, policy_version="P2", fulfilment_verdict="unknown", reasons=why)
    figures.decide(db, later)
    (past,) = figures.past_verdicts(db, factory_id, "oee", first.period_start)
    assert (past.policy_version, past.fulfilment_verdict, past.reasons) == ("P1", "partly", [])
    (now,) = figures.verdicts(db, factory_id)
    assert (now.policy_version, now.fulfilment_verdict, now.reasons) == ("P2", "unknown", why)


def test_the_newest_year_is_shown_unless_another_is_asked_for(
    db: store.Connection, factory_id: int, figure_id: int
) -> None:
    older = {"period_start": date(2025, 3, 1), "period_end": date(2026, 3, 1)}
    figures.decide(db, new_verdict(factory_id, figure_id))
    figures.decide(db, new_verdict(factory_id, figure_id, **older))
    figures.decide(db, new_verdict(factory_id, figure_id, kpi="quality", **older))

    def shown(found: list[figures.Verdict]) -> list[tuple[str, date]]:
        return [(verdict.kpi, verdict.period_start) for verdict in found]

    assert shown(figures.verdicts(db, factory_id)) == [("oee", date(2025, 4, 1))]
    assert shown(figures.verdicts(db, factory_id, date(2025, 3, 1))) == [
        ("oee", date(2025, 3, 1)), ("quality", date(2025, 3, 1))
    ]  # fmt: skip
    assert shown(figures.newest_verdicts(db)) == [
        ("oee", date(2025, 4, 1)), ("quality", date(2025, 3, 1))
    ]  # fmt: skip


def test_a_verdict_without_numbers(db: store.Connection, factory_id: int, figure_id: int) -> None:
    nothing = dict.fromkeys(
        ("before_value", "before_basis", "expected_value", "reported_value", "fulfilment",
         "fulfilment_low", "fulfilment_high", "deviation")
    )  # fmt: skip
    words = {"fulfilment_verdict": "unknown", "consistency_verdict": "unknown"}
    figures.decide(db, new_verdict(factory_id, figure_id, **nothing, **words))
    (found,) = figures.verdicts(db, factory_id)
    assert (found.fulfilment, found.deviation) == (None, None)
    with pytest.raises(Refused):
        figures.decide(db, new_verdict(factory_id, figure_id, fulfilment_verdict="good"))


def test_promises_and_reports_of_the_plan(db: store.Connection, factory_id: int) -> None:
    assert figures.promises(db, factory_id) == {
        "oee": figures.Promise("oee", 0.61, "declared", 0.78)
    }
    (report,) = figures.self_reports(db, factory_id)
    assert (report.kpi, report.period_start, report.period_end, report.value) == (
        "oee", date(2025, 11, 1), date(2026, 11, 1), 0.775
    )  # fmt: skip
