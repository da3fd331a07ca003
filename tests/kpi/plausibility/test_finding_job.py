"""Findings in the database: found, kept, cleared, and found of one factory alone."""

from datetime import date, datetime, timedelta

import pytest

from kpi import jobs
from kpi.jobs.finding_job import run_findings
from store import findings
from store.findings import Finding
from tests.kpi.plant import Plant, china, every, lot, machine_day

NEXT_DAY = china("2026-03-03 00:30")
MARCH = date(2026, 3, 1)


def _now(plant: Plant, rule: str, subject: str) -> Finding | None:
    found = findings.listed(plant.conn, plant.factory_id, rule=rule, since=MARCH)
    return next((each for each in found if each.subject == subject), None)


def _check(plant: Plant, now: datetime = NEXT_DAY) -> int:
    plant.facts(now)
    return run_findings(plant.url, now)


@pytest.fixture
def heard(plant: Plant) -> Plant:
    """A factory of which the first two days of March were sent, with a hole on the second."""
    for day in ("2026-03-01", "2026-03-02"):
        plant.send(machine_day("M01", day))
    hole = china("2026-03-02 12:00"), china("2026-03-02 18:00")
    start, end = china("2026-03-01 00:00"), china("2026-03-03 00:00")
    rows = [row for row in every(15, start, end, 0, 2) if not hole[0] <= row[0] < hole[1]]
    plant.send({"EM01.energy": rows})
    return plant


def test_a_finding_points_at_the_day_that_shows_it(heard: Plant) -> None:
    assert _check(heard) == 1
    found = _now(heard, "Q01", "EM01.energy")
    assert found is not None
    assert (found.severity, found.measured, found.threshold) == ("warn", 0.75, 0.9)
    assert found.shown == [{"from": "2026-03-01T16:00:00Z", "to": "2026-03-02T16:00:00Z"}]
    assert (found.period_start, found.period_end) == (MARCH, date(2026, 4, 1))
    assert found.rule_version == "DQ-2026.1"


def test_a_finding_is_cleared_when_its_cause_is_gone(heard: Plant) -> None:
    _check(heard)
    late = every(15, china("2026-03-02 12:00"), china("2026-03-02 18:00"), 288, 2)
    heard.send({"EM01.energy": late})
    _check(heard, NEXT_DAY + timedelta(hours=1))
    assert _now(heard, "Q01", "EM01.energy") is None
    every_one = findings.listed(heard.conn, heard.factory_id, rule="Q01", cleared=True)
    cleared = [each for each in every_one if each.subject == "EM01.energy"]
    assert [each.cleared_at is not None for each in cleared] == [True]


def test_a_month_before_the_baseline_shows_nothing(heard: Plant) -> None:
    before, first = date(2024, 12, 1), date(2025, 1, 1)
    findings.mark(heard.conn, heard.factory_id, [before, first])
    _check(heard)
    assert not findings.listed(heard.conn, heard.factory_id, month=before)
    assert findings.listed(heard.conn, heard.factory_id, month=first)
    assert not findings.marked(heard.conn, NEXT_DAY, heard.factory_id)


def test_what_is_found_again_keeps_the_time_when_it_was_found(heard: Plant) -> None:
    _check(heard)
    first = _now(heard, "Q01", "M02.state")
    heard.send(machine_day("M01", "2026-03-03"))
    _check(heard, NEXT_DAY + timedelta(days=1))
    again = _now(heard, "Q01", "M02.state")
    assert first is not None
    assert again is not None
    assert (again.finding_id, again.found_at) == (first.finding_id, first.found_at)


def test_every_rule_says_something_of_a_month_and_nothing_twice(heard: Plant) -> None:
    _check(heard)
    found = findings.listed(heard.conn, heard.factory_id)
    assert len({each.rule for each in found}) == 38
    keys = [(each.rule, each.severity, each.subject) for each in found]
    assert len(set(keys)) == len(keys)
    assert {each.severity for each in found if each.rule == "P13"} == {"not_applicable"}


def test_a_month_is_checked_once_an_hour_and_a_record_marks_its_own(heard: Plant) -> None:
    assert _check(heard) == 1
    assert run_findings(heard.url, NEXT_DAY) == 0
    heard.tell(lot("2026-03-01", 3))
    assert run_findings(heard.url, NEXT_DAY) == 0
    assert run_findings(heard.url, NEXT_DAY + timedelta(hours=1)) == 1
    heard.tell(lot("2026-02-01", 3))
    assert run_findings(heard.url, NEXT_DAY + timedelta(hours=1)) == 1


def test_a_recomputed_month_gives_the_same_findings(heard: Plant) -> None:
    _check(heard)
    before = findings.listed(heard.conn, heard.factory_id)
    findings.mark(heard.conn, heard.factory_id, [MARCH])
    heard.mark_everything()
    assert jobs.run_facts(heard.url, NEXT_DAY) > 0
    assert run_findings(heard.url, NEXT_DAY + timedelta(hours=1)) == 1
    after = findings.listed(heard.conn, heard.factory_id)
    assert [each.finding_id for each in after] == [each.finding_id for each in before]
