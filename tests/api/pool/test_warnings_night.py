"""The night's run over a real database: what it keeps, clears, moves and proposes."""

import json
import threading
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest

import store
import store.night
from api.pool import membership, night, nightly, report_opening, settings
from api.pool.night import Night
from deploy import cli
from store import audit, events, job_runs, memberships, policies, transaction, warnings
from store.acting import acting
from store.errors import NotPermitted
from tests.api.pool.feeds import Feed
from tests.api.pool.pooled import CLERK, ENTERED, OTHER_COUNTY, Pooled
from tests.api.pool.reporting import Reporting
from tests.store.people import key_for
from tests.store.samples import with_plan

PEOPLE = ("示例甲", "示例乙")


@pytest.fixture
def feed(pooled: Pooled) -> Feed:
    """The sample factory, heard of all the time up to its present."""
    found = Feed(pooled.conn, pooled.factory_id)
    found.facts(date(2025, 12, 1), pooled.today)
    found.heard(pooled.now - timedelta(hours=1))
    return found


def run(pooled: Pooled) -> Night:
    found = night.run(pooled.conn, pooled.now)
    assert found is not None
    return found


def rules(pooled: Pooled) -> list[tuple[str, str]]:
    return [(each.rule, each.subject) for each in warnings.listed(pooled.conn, pooled.factory_id)]


def test_a_factory_without_trouble_is_left_alone(pooled: Pooled, feed: Feed) -> None:
    found = run(pooled)
    assert found.counts() == {
        "factories": 1, "warned": 0, "cleared": 0, "proposed": 0, "ended": 0, "moved": 0,
        "failed": 0,
    }  # fmt: skip
    assert pooled.membership().state == "cultivating"


def test_missing_data_warn_once_and_are_cleared_when_they_come(pooled: Pooled, feed: Feed) -> None:
    today = pooled.today
    feed.facts(today - timedelta(days=20), today, 0.5)
    first = run(pooled)
    assert (first.warned, first.moved, first.failures) == (1, 1, {})
    assert run(pooled).counts() | {"factories": 0} == Night(pooled.now).counts()
    assert rules(pooled) == [("completeness", "")]
    (kept,) = warnings.listed(pooled.conn)
    assert kept.numbers["share"] == pytest.approx(2 / 3, abs=1e-6)
    assert kept.numbers["least"] == 0.9
    assert policies.values(pooled.conn, kept.policy_id) is not None
    moved = pooled.membership()
    assert (moved.state, moved.deadline) == ("watch", today + timedelta(days=30))
    step = memberships.steps(pooled.conn, moved.membership_id)[-1]
    assert (step.transition_id, step.role) == ("warn", "system")
    assert "数据完整率 66.7 %，低于 90 %" in step.comment
    told = events.since(pooled.conn, 0)[-1].payload["said"]
    assert told["zh"] == step.comment
    assert "66.7 %" in told["en"]
    assert told["en"].isascii()
    feed.facts(today - timedelta(days=20), today)
    cleared = run(pooled)
    assert (cleared.cleared, cleared.moved) == (1, 1)
    assert pooled.membership().state == "cultivating"
    (past,) = warnings.listed(pooled.conn, cleared=True)
    assert past.cleared_by is not None
    assert past.cleared_by["share"] == 1.0


def test_what_fired_is_told_and_noted(pooled: Pooled, feed: Feed) -> None:
    feed.finding("P09", date(2026, 2, 1), pooled.today)
    run(pooled)
    happened = events.since(pooled.conn, 0)
    assert [each.kind for each in happened] == ["entered", "warning_fired", "moved"]
    assert happened[1].payload["subject"] == "P09"
    assert happened[1].payload["said"]["zh"].startswith("P09 重复日曲线 不通过 1 项")
    assert [each.action for each in audit.entries(pooled.conn, kind="warning")] == ["warning_fired"]


def test_only_failed_checks_that_the_policy_names_and_of_the_stay_warn(
    pooled: Pooled, feed: Feed
) -> None:
    feed.finding("P09", date(2026, 2, 1), pooled.today, severity="warn")
    feed.finding("P19", date(2026, 2, 1), pooled.today)
    feed.finding("P09", date(2025, 12, 1), pooled.today)
    assert run(pooled).warned == 0
    finding = feed.finding("P09", date(2026, 2, 1), pooled.today)
    run(pooled)
    (kept,) = warnings.listed(pooled.conn)
    assert kept.numbers["findings"] == [finding]
    feed.finding_cleared(finding, pooled.today)
    assert run(pooled).cleared == 1


def test_a_silent_gateway_warns_unless_a_stop_was_filed(pooled: Pooled, feed: Feed) -> None:
    pooled.later(days=9)
    feed.facts(date(2026, 3, 2), pooled.today)
    run(pooled)
    assert rules(pooled) == [("silent", "gw-sample")]
    feed.heard(pooled.now)
    assert run(pooled).cleared == 1
    feed.stop(pooled.today, date(2026, 4, 30), pooled.today)
    pooled.later(days=20)
    assert run(pooled).warned == 0
    assert pooled.membership().state == "cultivating"


def test_a_stop_that_the_enterprise_reported_covers_a_silence(pooled: Pooled, feed: Feed) -> None:
    pooled.record("ent_filler", "change_report", what="stop")
    pooled.later(days=9)
    assert run(pooled).warned == 0
    pooled.record("ent_filler", "resumption")
    pooled.later(days=9)
    run(pooled)
    assert ("silent", "gw-sample") in rules(pooled)


def test_two_worse_quarters_warn_and_the_word_unknown_clears_nothing(
    pooled: Pooled, feed: Feed
) -> None:
    pooled.now = datetime(2026, 7, 8, tzinfo=UTC)
    feed.facts(date(2026, 6, 1), date(2026, 7, 8))
    feed.heard(pooled.now)
    figures = [feed.verdict("oee", date(2026, month, 1), "worse") for month in (4, 7)]
    run(pooled)
    (kept,) = warnings.listed(pooled.conn)
    assert (kept.rule, kept.subject, kept.numbers["figures"]) == ("worse", "oee", figures)
    feed.verdict("oee", date(2026, 7, 1), "unknown")
    assert run(pooled).counts()["cleared"] == 0
    feed.verdict("oee", date(2026, 7, 1), "partly")
    assert run(pooled).cleared == 1


def test_a_false_report_warns_until_a_later_one_holds(pooled: Pooled, feed: Feed) -> None:
    feed.report("oee", date(2026, 2, 1), date(2026, 2, 10))
    feed.verdict("oee", date(2026, 2, 1), consistency="false")
    run(pooled)
    assert rules(pooled) == [("inconsistent", "oee")]
    feed.report("oee", date(2026, 3, 1), date(2026, 3, 2))
    feed.verdict("oee", date(2026, 3, 1), consistency="same")
    assert run(pooled).cleared == 1


def test_a_late_report_warns_until_it_comes(pooled: Pooled, feed: Feed) -> None:
    reporting = Reporting.load(pooled)
    feed.facts(date(2026, 3, 1), date(2026, 4, 30))
    for later, warned in ((0, 0), (13, 0), (1, 1)):
        pooled.later(days=later)
        feed.heard(pooled.now)
        assert run(pooled).warned == warned
    assert rules(pooled) == [("report_overdue", str(reporting.report_id))]
    reporting.submit()
    assert run(pooled).cleared == 1


def test_an_accident_that_the_enterprise_reports_warns(pooled: Pooled, feed: Feed) -> None:
    with pooled.as_("ent_filler") as actor:
        number = report_opening.begin(
            pooled.conn, actor, pooled.factory_id, "ACC", date(2026, 3, 1), now=pooled.now
        )
    assert run(pooled).warned == 0
    Reporting(pooled, number).submit()
    run(pooled)
    assert rules(pooled) == [("accident", f"report {number}")]


def test_the_nights_run_opens_reports_and_marks_them_late(pooled: Pooled, feed: Feed) -> None:
    pooled.now = datetime(2026, 4, 2, tzinfo=UTC)
    feed.facts(date(2026, 3, 1), date(2026, 4, 30))
    feed.heard(pooled.now)
    for days, warned in ((0, 0), (14, 1)):
        pooled.later(days=days)
        feed.heard(pooled.now)
        found = nightly.once(pooled.conn, pooled.now)
        assert found is not None
        assert (found.failures, found.warned) == ({}, warned)
    assert [rule for rule, _ in rules(pooled)] == ["report_overdue"]


def test_an_accident_warns_until_the_rectification_is_passed(pooled: Pooled, feed: Feed) -> None:
    pooled.record("county_officer", "accident", what="safety", document="示例文号")
    run(pooled)
    assert [rule for rule, _ in rules(pooled)] == ["accident"]
    for _ in range(32):
        pooled.later(days=1)
        feed.facts(pooled.today - timedelta(days=1), pooled.today)
        feed.heard(pooled.now)
    run(pooled)
    (proposed,) = warnings.proposals(pooled.conn, pooled.factory_id)
    assert (proposed.rule, proposed.steps) == ("deadline_passed", ["order_rectification"])
    pooled.move("city_officer", "order_rectification", "期满未消除")
    assert run(pooled).ended == 1
    pooled.record("ent_filler", "rectification_report")
    pooled.record("county_officer", "site_check", people=PEOPLE, passed=True)
    pooled.later(minutes=1)
    pooled.move("city_leader", "pass_rectification")
    pooled.later(minutes=1)
    found = run(pooled)
    assert (found.cleared, found.warned, found.moved) == (1, 0, 0)
    assert pooled.membership().state == "cultivating"


def test_a_review_that_is_due_is_proposed_once_and_starts_by_a_person(
    pooled: Pooled, feed: Feed
) -> None:
    pooled.conn.execute("UPDATE pool.membership SET entered_on = '2024-03-02'")
    assert run(pooled).proposed == 1
    assert run(pooled).proposed == 0
    (proposed,) = warnings.proposals(pooled.conn)
    assert (proposed.rule, proposed.steps) == ("review_due", ["start_review"])
    assert pooled.membership().state == "cultivating"
    pooled.move("city_officer", "start_review")
    assert run(pooled).ended == 1


def test_a_suspended_factory_is_not_warned_and_keeps_what_is_open(
    pooled: Pooled, feed: Feed
) -> None:
    feed.finding("P09", date(2026, 2, 1), pooled.today)
    run(pooled)
    pooled.record("ent_filler", "change_report", what="stop")
    pooled.move("city_officer", "suspend", "停产")
    pooled.later(days=60)
    assert run(pooled).counts() | {"factories": 0} == Night(pooled.now).counts()
    assert rules(pooled) == [("implausible", "P09")]


def test_what_is_open_ends_when_the_factory_leaves(pooled: Pooled, feed: Feed) -> None:
    feed.finding("P09", date(2026, 2, 1), pooled.today)
    run(pooled)
    pooled.move("ent_approver", "leave")
    pooled.decide("city_leader", confirmed=True)
    assert run(pooled).cleared == 1
    assert rules(pooled) == []


def test_what_cannot_be_ended_is_a_failure_of_its_factory_alone(pooled: Pooled, feed: Feed) -> None:
    feed.finding("P09", date(2026, 2, 1), pooled.today)
    run(pooled)
    pooled.move("ent_approver", "leave")
    pooled.decide("city_leader", confirmed=True)
    pooled.conn.execute(
        "CREATE FUNCTION pg_temp.broken() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'broken on purpose'; END$$"
    )
    pooled.conn.execute(
        "CREATE TRIGGER broken BEFORE UPDATE ON pool.warning"
        " FOR EACH ROW EXECUTE FUNCTION pg_temp.broken()"
    )
    found = run(pooled)
    assert (list(found.failures), found.cleared) == ([f"factory {pooled.factory_id}"], 0)
    pooled.conn.execute("DROP TRIGGER broken ON pool.warning")
    assert run(pooled).cleared == 1


def test_one_factorys_failure_stops_no_other(pooled: Pooled, feed: Feed) -> None:
    other = with_plan(pooled.conn, "sample-2")
    with store.transaction(pooled.conn):
        policy = settings.current(pooled.conn, ENTERED)
        membership.enter(pooled.conn, CLERK, other, ENTERED, policy, comment="", now=pooled.now)
    feed.finding("P09", date(2026, 2, 1), pooled.today)
    pooled.conn.execute(
        "CREATE FUNCTION pg_temp.broken() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'broken on purpose'; END$$"
    )
    pooled.conn.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON pool.warning FOR EACH ROW"
        " WHEN (NEW.rule = 'implausible') EXECUTE FUNCTION pg_temp.broken()"
    )
    found = run(pooled)
    assert list(found.failures) == ["sample"]
    assert "broken on purpose" in found.failures["sample"]
    assert (found.factories, found.warned, found.moved) == (2, 1, 1)
    assert pooled.membership().state == "cultivating"
    pooled.conn.execute("DROP TRIGGER broken ON pool.warning")
    assert run(pooled).moved == 1


def test_two_runs_at_once_do_the_work_once(pooled: Pooled, feed: Feed, database_url: str) -> None:
    feed.finding("P09", date(2026, 2, 1), pooled.today)
    found: list[Night | None] = []

    def other() -> None:
        with closing(store.connect(database_url)) as conn:
            found.append(night.run(conn, pooled.now))

    with store.night.alone(pooled.conn) as is_alone:
        assert is_alone
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(30)
    assert found == [None]
    assert run(pooled).warned == 1


def test_warnings_are_seen_by_those_whose_factory_it_is(pooled: Pooled, feed: Feed) -> None:
    pooled.conn.execute("UPDATE pool.membership SET entered_on = '2024-01-01'")
    feed.finding("P09", date(2026, 2, 1), pooled.today)
    run(pooled)
    with pooled.as_("county_officer"):
        assert rules(pooled) == [("implausible", "P09")]
        assert len(warnings.proposals(pooled.conn)) == 1
    with acting(pooled.conn, key_for(pooled.conn, "county_officer", region=OTHER_COUNTY)):
        assert rules(pooled) == []
        assert warnings.proposals(pooled.conn) == []


def test_nobody_but_the_system_writes_a_warning(pooled: Pooled, feed: Feed) -> None:
    given = warnings.Given(pooled.factory_id, "silent", "x", ENTERED, {}, ("expel",))
    for write in (warnings.fire, warnings.propose):
        with (
            pytest.raises(NotPermitted),
            pooled.as_("city_leader"),
            transaction(pooled.conn),
        ):
            write(pooled.conn, given, "p", pooled.now)
    assert pooled.count("pool.warning") == pooled.count("pool.proposal") == 0


def test_a_run_is_listed_with_the_jobs_and_so_is_what_failed(pooled: Pooled, feed: Feed) -> None:
    feed.finding("P09", date(2026, 2, 1), pooled.today)
    pooled.conn.execute(
        "ALTER TABLE pool.warning ADD CONSTRAINT broken CHECK (rule <> 'implausible')"
    )
    found = nightly.once(pooled.conn, pooled.now)
    assert found is not None
    assert list(found.failures) == ["sample"]
    (listed,) = job_runs.recent(pooled.conn, nightly.NAME)
    assert (listed.outcome, listed.counts["failed"]) == ("failed", 1)
    assert [each.piece for each in job_runs.retries(pooled.conn)] == ["factory sample"]
    pooled.conn.execute("ALTER TABLE pool.warning DROP CONSTRAINT broken")
    nightly.once(pooled.conn, pooled.now)
    assert job_runs.recent(pooled.conn, nightly.NAME)[0].outcome == "done"
    assert job_runs.retries(pooled.conn) == []


def test_the_night_runs_from_the_command_line(
    pooled: Pooled, feed: Feed, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    feed.finding("P09", date(2026, 2, 1), pooled.today)
    words = ["pool", "night", "--as-of", "2026-03-02", "--json", "--database", database_url]
    assert cli.run(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["warned"], found["moved"]) == (1, 1)
    assert cli.run([*words[:3], "2999-01-01", *words[4:]]) == 2
