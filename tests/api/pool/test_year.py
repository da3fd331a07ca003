"""A simulated year, night by night: exactly what its truth names, and nothing else."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

import store
from api.exports import making, register
from api.pool import nightly, todos
from api.pool.workdays import ZONE
from simulators import pool_year
from simulators.pool_year import (
    Expected,
    Filing,
    Letter,
    Notice,
    Todo,
    Verdict,
    Year,
)
from store import documents, memberships
from tests.api.exports.made import LOST_AFTER, file_of
from tests.api.exports.opened import open_pdf
from tests.api.pool.year_world import JUDGED, World, at
from tests.support.database import cloned_database

# Whose letters are made and read.
READ = "removed"


@dataclass(frozen=True)
class Lived:
    """The year as the system lived it."""

    conn: store.Connection
    year: Year
    worlds: list[World]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return what a statement finds."""
        return self.conn.execute(statement.encode()).fetchall()


@pytest.fixture(scope="module")
def lived(database_server: str) -> Iterator[Lived]:
    """The year, lived through once for all tests of this module."""
    year = pool_year.load()
    with cloned_database(database_server) as url, closing(store.connect(url)) as conn:
        worlds = [World.load(conn, each, year) for each in year.factories]
        nights = _nights(year)
        for day in year.days:
            for world in worlds:
                world.before_night(day)
            if day not in nights:
                continue
            found = nightly.once(conn, at(day, time(1, 30)))
            assert found is not None
            assert found.failures == {}
            _follow(conn, at(day, time(1, 31)))
            busy = [world for world in worlds if world.by_day(day)]
            if busy:
                _follow(conn, at(day, time(18)))
        yield Lived(conn, year, worlds)


def _nights(year: Year) -> set[date]:
    """Return the days around each on which something is due or done, and one of each week.

    On the others the rules would find what they found the night before; what they made too much
    would be there in the end all the same.
    """
    due = {at[0] for each in pool_year.todos(year) for at in (each.begins, each.ends) if at}
    due |= {each.on for each in (*pool_year.notices(year), *pool_year.letters(year))}
    due |= {each.on for each in pool_year.filings(year)}
    for each in (*pool_year.warnings(year), *pool_year.proposals(year)):
        due |= {day for day in (each.fired, each.ended) if day is not None}
    due |= {act.on for factory in year.factories for act in factory.acts}
    around = {day + n * timedelta(days=1) for day in due for n in (-1, 0, 1)}
    return around & set(year.days) | set(year.days[::7]) | JUDGED


def _follow(conn: store.Connection, now: datetime) -> None:
    """Bring to-dos up to date, and ask for the letters that are due; those to be read are made."""
    todos.turn(conn, now=now)
    if not register.ask_for_steps(conn, now):
        return
    # The queue goes by the server's clock, which is not that of the year.
    waiting = conn.execute(
        "UPDATE pool.document SET not_before = '-infinity' WHERE state = 'queued' AND factory_id ="
        " (SELECT factory_id FROM registry.factory WHERE code = %s) RETURNING document_id",
        (READ,),
    ).fetchall()
    for _ in waiting:
        taken = documents.take(conn, LOST_AFTER)
        assert taken is not None
        assert making.make(conn, *taken, now)


def same(found: Iterable[Any], truth: Iterable[Any]) -> bool:
    """Tell whether both hold the same, each as often, and say what differs."""
    has, wants = Counter(found), Counter(truth)
    for each in sorted((has - wants).elements(), key=str):
        print("beyond the truth:", each)
    for each in sorted((wants - has).elements(), key=str):
        print("missing:", each)
    return has == wants


def _moment(when: datetime) -> tuple[date, int]:
    """Return the day in the city, and whether people were at work."""
    local = when.astimezone(ZONE)
    return local.date(), int(local.time() >= time(6))


def _on(when: datetime) -> date:
    return when.astimezone(ZONE).date()


def test_the_year_leads_to_exactly_the_warnings_and_proposals_of_its_truth(lived: Lived) -> None:
    made = lived.rows(
        "SELECT code, rule, fired_at, cleared_at FROM pool.warning JOIN registry.factory"
        " USING (factory_id) UNION ALL SELECT code, rule, made_at, ended_at FROM pool.proposal"
        " JOIN registry.factory USING (factory_id)"
    )
    found = [
        Expected(code, rule, _on(fired), ended and _on(ended)) for code, rule, fired, ended in made
    ]
    assert same(found, [*pool_year.warnings(lived.year), *pool_year.proposals(lived.year)])


def test_the_year_leads_to_exactly_the_verdicts_of_its_truth(lived: Lived) -> None:
    made = lived.rows(
        "SELECT code, period_end, fulfilment_verdict, consistency_verdict FROM (SELECT * FROM"
        " (SELECT factory_id, period_end, fulfilment_verdict, consistency_verdict FROM kpi.verdict"
        " UNION ALL SELECT factory_id, period_end, fulfilment_verdict, consistency_verdict"
        " FROM kpi.verdict_past) both_) v JOIN registry.factory USING (factory_id)"
    )
    assert same((Verdict(*row) for row in made), pool_year.verdicts(lived.year))


def test_the_year_leads_to_exactly_the_reports_of_its_truth(lived: Lived) -> None:
    made = lived.rows(
        "SELECT code, r.kind, period_start, step, s.at FROM pool.report_step s JOIN pool.report r"
        " USING (report_id) JOIN registry.factory f ON f.factory_id = r.factory_id"
        " WHERE step <> 'fill'"
    )
    found = [Filing(code, kind, start, do, _on(at)) for code, kind, start, do, at in made]
    assert same(found, pool_year.filings(lived.year))


_ABOUT = """
    CASE WHEN t.kind = 'decide_proposal' THEN split_part(object, ' ', 1)
         WHEN t.kind = 'confirm_request' THEN object
         WHEN t.kind IN ('answer_ticket_county', 'read_answer') THEN 'help'
         ELSE coalesce((SELECT r.kind || ' ' || r.period_start FROM pool.report r
                        WHERE r.report_id::text = object), '') END
"""


def test_the_year_leads_to_exactly_the_to_dos_of_its_truth(lived: Lived) -> None:
    made = lived.rows(
        f"SELECT code, role, t.kind, {_ABOUT}, opened_at, due, closed_at, raised_from IS NOT NULL"
        " FROM pool.todo t JOIN registry.factory USING (factory_id)"
    )
    found = [
        Todo(code, role, kind, about, _moment(begins), due, ends and _moment(ends), raised)
        for code, role, kind, about, begins, due, ends, raised in made
    ]
    assert same(found, pool_year.todos(lived.year))


def test_the_year_leads_to_exactly_the_reminders_of_its_truth(lived: Lived) -> None:
    made = lived.rows(
        f"SELECT code, role, t.kind, {_ABOUT}, step, n.at FROM pool.todo_notice n JOIN pool.todo t"
        " USING (todo_id) JOIN registry.factory f ON f.factory_id = t.factory_id"
    )
    found = [Notice(*row[:5], _on(row[5])) for row in made]
    assert same(found, pool_year.notices(lived.year))


def test_the_year_leads_to_exactly_the_letters_of_its_truth(lived: Lived) -> None:
    made = lived.rows(
        "SELECT code, d.kind, d.asked_at, t.deadline FROM pool.document d JOIN registry.factory"
        " USING (factory_id) LEFT JOIN pool.transition t USING (transition_no)"
    )
    found = [Letter(code, kind, _on(at), term) for code, kind, at, term in made]
    assert same(found, pool_year.letters(lived.year))


def test_the_letters_of_a_removal_say_the_days_of_the_truth(lived: Lived) -> None:
    (world,) = [each for each in lived.worlds if each.script.code == READ]
    made = {each.kind: each for each in documents.listed(lived.conn, world.pooled.factory_id)}
    truth = {each.kind: each for each in pool_year.letters(lived.year) if each.factory == READ}
    assert sorted(truth) == [
        "rectification_order", "removal_decision", "removal_notice", "warning_notice",
    ]  # fmt: skip
    for kind, letter in truth.items():
        text = open_pdf(file_of(lived.conn, made[kind], "pdf")).text
        days = [day for day in (letter.on, letter.term) if day is not None]
        for day in days:
            assert f"{day.year}年{day.month}月{day.day}日" in text, kind
        assert "—1—" in text


def test_whoever_has_nothing_open_is_where_everybody_begins(lived: Lived) -> None:
    states = {each.script.code: each.pooled.membership().state for each in lived.worlds}
    assert states == dict.fromkeys(states, "cultivating") | {
        "removed": "removed", "reviewed": "exited",
    }  # fmt: skip
    (calm,) = [each for each in lived.worlds if each.script.code == "calm"]
    assert len(memberships.steps(lived.conn, calm.pooled.membership().membership_id)) == 1


def test_the_truth_of_the_year_holds_what_can_be_counted_on_a_calendar() -> None:
    """By hand, so that a mistake in both the rules and the truth does not pass."""
    year = pool_year.load()
    warned = [*pool_year.warnings(year), *pool_year.proposals(year)]
    assert {each.rule for each in warned} == {
        "silent", "completeness", "worse", "inconsistent", "implausible", "accident",
        "report_overdue", "deadline_passed",
    }  # fmt: skip
    assert all(each.factory != "calm" for each in warned)
    for expected in (
        # Monday 2 February to Thursday are four working days without a word.
        Expected("silent", "silent", date(2026, 2, 6), date(2026, 2, 14)),
        Expected("worse", "deadline_passed", date(2026, 8, 2), date(2026, 10, 2)),
        Expected("tardy", "report_overdue", date(2026, 7, 16), date(2026, 7, 23)),
    ):
        assert expected in warned
    # Warned on 2 July: 30 days, a day later the county, three working days later the city.
    chain = [each for each in pool_year.todos(year)
             if (each.factory, each.kind) == ("worse", "remove_cause")]  # fmt: skip
    assert [(each.role, each.begins[0], each.due) for each in chain] == [
        ("ent_filler", date(2026, 7, 2), date(2026, 8, 1)),
        ("ent_approver", date(2026, 7, 2), date(2026, 8, 1)),
        ("county_officer", date(2026, 8, 2), date(2026, 8, 5)),
        ("city_officer", date(2026, 8, 6), date(2026, 8, 11)),
        ("city_leader", date(2026, 8, 12), date(2026, 8, 17)),
    ]
    assert Verdict("overstated", date(2026, 4, 1), "missed", "false") in pool_year.verdicts(year)
