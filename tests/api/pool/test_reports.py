"""Self-reports: filled in by the system, confirmed by one, submitted by another, never altered."""

from datetime import UTC, date, datetime
from itertools import product

import pytest

import store.plans
import store.tickets
from api.errors import NotFound
from api.pool import report_opening, reports, tickets, todos
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from api.pool.report_items import Given
from api.pool.report_table import table
from api.pool.roles import ROLES
from store.errors import NotPermitted
from tests.api.pool.pooled import Pooled
from tests.api.pool.reporting import QUARTER, YEAR, Reporting
from tests.store.people import key_for
from tests.store.samples import sample_plan

OEE, DEFECTS = "kpi.oee", "kpi.defect_rate"


def events(found: Reporting) -> list[str]:
    return [kind for (kind,) in found.rows("SELECT kind FROM pool.event ORDER BY event_id")]


def test_the_system_opens_a_quarter_once_with_its_verified_figures(reporting: Reporting) -> None:
    at = reporting.view()
    assert (at.report.kind, at.report.state) == ("Q", "open")
    assert (at.report.period_start, at.report.period_end) == QUARTER
    assert at.report.due_on == date(2026, 4, 15)
    oee = reporting.item(OEE).figure
    assert oee is not None
    assert (oee.point, oee.revision) == (0.75, 1)
    assert reporting.item(DEFECTS).figure is None
    conn = reporting.pooled.conn
    assert report_opening.open_due(conn, now=reporting.pooled.now) == []
    assert events(reporting)[-1] == "report_opened"


def test_the_enterprise_writes_only_what_nobody_knows(reporting: Reporting) -> None:
    at = reporting.view()
    points = [each for each in at.items if each.code.startswith("annex1.")]
    assert len(points) == 19
    # The defect rate, three numbers of the quarter and the points; the OEE is only confirmed.
    assert at.to_fill == 1 + 3 + 19
    reporting.submit()
    conn, pooled = reporting.pooled.conn, reporting.pooled
    pooled.now = datetime(2026, 7, 2, 1, tzinfo=UTC)
    (reporting.report_id,) = report_opening.open_due(conn, now=pooled.now)
    assert reporting.view().to_fill == 2 + 3
    assert reporting.item("annex1.D1.1").last == "not_built"


def test_a_year_is_due_on_its_own_day(pooled: Pooled) -> None:
    pooled.now = datetime(2027, 1, 2, 1, tzinfo=UTC)
    opened = report_opening.open_due(pooled.conn, now=pooled.now)
    with pooled.as_("ent_filler") as actor:
        found = [reports.view(pooled.conn, actor, each).report for each in opened]
    assert sorted((each.kind, each.period_end) for each in found) == [
        ("Q", date(2026, 4, 1)), ("Q", date(2026, 7, 1)), ("Q", date(2026, 10, 1)),
        ("Q", date(2027, 1, 1)), ("Y", date(2027, 1, 1)),
    ]  # fmt: skip
    assert {each.due_on for each in found if each.kind == "Y"} == {date(2027, 3, 31)}
    # One that was missed while nothing ran has the term of a correction from when it is opened.
    assert min(each.due_on for each in found) == date(2027, 1, 8)


def test_what_is_submitted_is_what_the_verdict_judges(reporting: Reporting) -> None:
    reporting.rows("DELETE FROM kpi.verdict_mark RETURNING 1")
    reporting.submit(Given(DEFECTS, "given", 0.011))
    said = reporting.rows(
        "SELECT kpi, period_start, period_end, value, origin FROM pool.self_report"
        " WHERE origin = 'report' ORDER BY kpi"
    )
    assert said == [("defect_rate", *YEAR, 0.011, "report"), ("oee", *YEAR, 0.75, "report")]
    assert len(reporting.rows("SELECT 1 FROM kpi.verdict_mark")) == 1
    assert "report_submit" in events(reporting)


def test_a_value_that_a_correction_takes_back_is_judged_no_more(reporting: Reporting) -> None:
    reporting.submit(Given(DEFECTS, "given", 0.011))
    reporting.move("county_officer", "county_return", "无依据", kpi_defect_rate="请核对")
    reporting.fill(Given(DEFECTS, "given", None))
    reporting.move("ent_filler", "hand_over")
    reporting.move("ent_approver", "submit")
    said = reporting.rows("SELECT kpi, value FROM pool.self_report WHERE origin = 'report'")
    assert said == [("oee", 0.75)]


def test_a_plan_that_is_loaded_again_keeps_what_was_reported(reporting: Reporting) -> None:
    reporting.submit(Given(OEE, "disputed", 0.79, "计划停机未扣除"))
    plan = sample_plan()
    plan["self_reports"].append(
        {"kpi": "oee", "period": [str(day) for day in YEAR], "value": 0.5,
         "reported_at": "2026-04-03T09:00:00+08:00"}
    )  # fmt: skip
    store.plans.load_plan(reporting.pooled.conn, plan)
    said = reporting.rows(
        f"SELECT value FROM pool.self_report WHERE kpi = 'oee' AND period_end = '{YEAR[1]}'"
    )
    assert said == [(0.79,)]


def test_who_filled_it_in_does_not_submit_it(reporting: Reporting) -> None:
    reporting.fill_all()
    found = reporting.move("ent_filler", "hand_over")
    with pytest.raises(NotAllowed, match="enterprise approver"):
        reporting.move("ent_filler", "submit")
    filler, key = reporting.pooled.person("ent_filler")
    # The same person in another role, as after a change of the account.
    conn = reporting.pooled.conn
    conn.execute(
        "UPDATE auth.account SET role = 'ent_approver' WHERE account_id = %s", (filler.account_id,)
    )
    with store.acting.acting(conn, key), pytest.raises(NotAllowed, match="somebody else approves"):
        reports.move(
            conn, store.acting.Actor(filler.account_id, filler.name, "ent_approver"),
            reporting.report_id, "submit", version=found.version, now=reporting.pooled.now,
        )  # fmt: skip


def test_an_incomplete_report_is_not_handed_over(reporting: Reporting) -> None:
    reporting.fill(Given("staff", "given", 260))
    with pytest.raises(NotPossible, match="23 items are not filled in") as refused:
        reporting.move("ent_filler", "hand_over")
    assert [each.transition.transition_id for each in refused.value.possible] == [
        "fill", "hand_over",
    ]  # fmt: skip


UNFIT = [
    (Given("nothing", "given", 1), "no item"),
    (Given("staff", "given", 2.5), "whole number"),
    (Given("staff", "given", -1), "number from 0"),
    (Given("staff", "given", True), "number from 0"),
    (Given("staff", "given", float("nan")), "number from 0"),
    (Given("staff", "given", None), "say a value"),
    (Given("staff", "confirmed"), "no verified figure"),
    (Given("scenes", "given", 3), "a text"),
    (Given("annex1.D1.1", "given", "ready"), "one of not_built"),
    (Given(OEE, "given", 0.9), "confirm the figure or dispute it"),
    (Given(OEE, "disputed", 0.9), "own value and why"),
    (Given(OEE, "disputed", None, "why"), "own value and why"),
    # A value of another unit would be judged as a false report.
    (Given(OEE, "disputed", 78, "why"), "from 0 to 100 %"),
    (Given(DEFECTS, "given", 1.2), "from 0 to 100 %"),
    (Given(DEFECTS, "given", -0.01), "from 0 to 100 %"),
    (Given(DEFECTS, "given", float("nan")), "from 0 to 100 %"),
]


def test_an_answer_that_does_not_fit_is_refused(reporting: Reporting) -> None:
    for given, why in UNFIT:
        with pytest.raises(Declined, match=why):
            reporting.fill(given)
    assert reporting.pooled.count("pool.report_answer") == 0


def test_the_county_returns_with_a_reason_for_each_item_and_both_answers_stay(
    reporting: Reporting,
) -> None:
    reporting.submit(Given("staff", "given", 26))
    with pytest.raises(Declined, match="name each item"):
        reporting.move("county_officer", "county_return", "人数不符")
    with pytest.raises(Declined, match="say why"):
        reporting.move("county_officer", "county_return", staff="社保 260 人")
    found = reporting.move("county_officer", "county_return", "人数不符", staff="社保 260 人")
    assert (found.state, found.submitted_at) == ("county_returned", None)
    # Five working days after 2 April; the 4th to the 6th are a holiday.
    assert found.due_on == date(2026, 4, 10)
    assert reporting.item("staff").returned == "社保 260 人"
    reporting.fill(Given("staff", "given", 260))
    reporting.move("ent_filler", "hand_over")
    reporting.move("ent_approver", "submit")
    ever = store.reports.answers_ever(reporting.pooled.conn, reporting.report_id, "staff")
    assert [each.value for each in ever] == [26, 260]
    assert reporting.item("staff").returned is None


def test_what_was_passed_opens_again_only_with_a_reason(reporting: Reporting) -> None:
    reporting.submit()
    reporting.move("county_officer", "county_pass")
    assert reporting.move("city_officer", "lock").state == "locked"
    with pytest.raises(NotPossible):
        reporting.fill(Given("staff", "given", 1))
    with pytest.raises(Declined, match="say why"):
        reporting.move("city_leader", "reopen")
    assert reporting.move("city_leader", "reopen", "审计发现笔误").state == "city_returned"
    assert reporting.fill(Given("staff", "given", 1)).state == "filling"


def test_a_stale_version_and_a_report_of_another_are_refused(reporting: Reporting) -> None:
    conn, now = reporting.pooled.conn, reporting.pooled.now
    reporting.fill(Given("staff", "given", 5))
    with reporting.pooled.as_("ent_filler") as actor, pytest.raises(StaleVersion):
        reports.fill(conn, actor, reporting.report_id, [], version=1, now=now)
    other = key_for(conn, "county_officer", region="320623")
    with store.acting.acting(conn, other), pytest.raises(NotFound):
        reports.view(conn, actor, reporting.report_id)


def test_a_new_revision_has_to_be_confirmed_again(reporting: Reporting) -> None:
    reporting.fill_all()
    reporting.verify((0.71, 0.70, 0.72))
    assert report_opening.refresh(reporting.pooled.conn, now=reporting.pooled.now) == 1
    oee = reporting.item(OEE)
    assert oee.figure is not None
    assert (oee.figure.revision, oee.is_answered) == (2, False)
    with pytest.raises(NotPossible, match=r"kpi\.oee"):
        reporting.move("ent_filler", "hand_over")


def test_nobody_confirms_a_revision_that_they_did_not_see(reporting: Reporting) -> None:
    seen = reporting.item(OEE).figure
    assert seen is not None
    reporting.verify((0.70, 0.69, 0.71))
    assert report_opening.refresh(reporting.pooled.conn, now=reporting.pooled.now) == 1
    for given in (
        Given(OEE, "confirmed", figure_id=seen.figure_id),
        Given(OEE, "disputed", 0.75, "why", figure_id=seen.figure_id),
    ):
        with pytest.raises(Declined, match="revised in the meantime"):
            reporting.fill(given)
    now_shown = reporting.item(OEE).figure
    assert now_shown is not None
    reporting.fill(Given(OEE, "confirmed", figure_id=now_shown.figure_id))
    assert reporting.item(OEE).value == 0.70


@pytest.mark.parametrize("handed_over", [False, True])
def test_what_is_late_is_marked_once(reporting: Reporting, handed_over: bool) -> None:
    if handed_over:
        reporting.fill_all()
        reporting.move("ent_filler", "hand_over")
    conn, pooled = reporting.pooled.conn, reporting.pooled
    pooled.now = datetime(2026, 4, 15, 15, 59, tzinfo=UTC)
    assert reports.mark_overdue(conn, now=pooled.now) == []
    pooled.now = datetime(2026, 4, 15, 16, 0, tzinfo=UTC)
    assert reports.mark_overdue(conn, now=pooled.now) == [reporting.report_id]
    assert reports.mark_overdue(conn, now=pooled.now) == []
    found = reporting.view().report
    assert found.state == ("to_approve" if handed_over else "overdue")
    assert found.overdue_since == date(2026, 4, 16)
    assert events(reporting).count("report_overdue") == 1
    if not handed_over:
        reporting.fill_all()
        reporting.move("ent_filler", "hand_over")
    assert reporting.move("ent_approver", "submit").overdue_since is None


STEPS = [
    (step, state, role)
    for step, role in product(table().steps.values(), ROLES)
    for state in step.transition.sources
]


def test_every_step_is_open_to_its_roles_alone(reporting: Reporting) -> None:
    """Every step in every state it leaves, for every role: by the table and by the database."""
    reporting.fill_all()
    conn = reporting.pooled.conn
    wrong = []
    version = reporting.view().report.version
    for step, state, role in STEPS:
        name = step.transition.transition_id
        if role == "system" or name == "fill" or step.transition.who == ("system",):
            continue
        with store.transaction(conn):
            conn.execute("ALTER TABLE pool.report DISABLE TRIGGER has_step")
            conn.execute("UPDATE pool.report SET state = %s", (state,))
            conn.execute("ALTER TABLE pool.report ENABLE TRIGGER has_step")
        may = True
        try:
            with reporting.pooled.as_(role) as actor:
                reports.move(
                    conn, actor, reporting.report_id, name,
                    version=version, comment="why", now=reporting.pooled.now,
                    items={"staff": "why"} if step.transition.deadline else {},
                )  # fmt: skip
            version += 1
        except (NotAllowed, NotFound):
            may = False
        if may != (role in step.transition.who):
            wrong.append((name, state, role))
    assert wrong == []


OFFICERS = ["county_officer", "county_leader", "city_officer", "city_leader"]


def test_the_database_refuses_an_answer_of_anybody_but_the_filler(reporting: Reporting) -> None:
    reporting.fill(Given("staff", "given", 26))
    for role in (*OFFICERS, "ent_approver", "verifier", "expert"):
        check_that_the_database_refuses(reporting, role)
    assert reporting.item("staff").value == 26


def check_that_the_database_refuses(reporting: Reporting, role: str) -> None:
    conn = reporting.pooled.conn
    actor, key = reporting.pooled.person(role)
    insert = (
        "INSERT INTO pool.report_answer (report_id, factory_id, item, stance, value, note,"
        " account_id, actor, role, at) SELECT report_id, factory_id, 'staff', 'given', '1', '',"
        " %s, 'x', %s, now() FROM pool.report_answer"
    )
    if role != "verifier":  # who has no factory here, and so finds no row to copy
        with pytest.raises(NotPermitted), store.acting.acting(conn, key):
            conn.execute(insert, (actor.account_id, "ent_filler"))
    for statement in (
        "UPDATE pool.report_answer SET value = '1'",
        "DELETE FROM pool.report_answer",
        "UPDATE pool.report_figure SET point = 1",
        "UPDATE pool.self_report SET value = 1",
        "UPDATE kpi.figure SET point = 1",
    ):
        with pytest.raises(NotPermitted), store.acting.acting(conn, key):
            conn.execute(statement.encode())


def test_the_database_refuses_an_officer_who_submits(reporting: Reporting) -> None:
    conn = reporting.pooled.conn
    for role in OFFICERS:
        actor, key = reporting.pooled.person(role)
        with pytest.raises(NotPermitted), store.acting.acting(conn, key):
            conn.execute(
                "INSERT INTO pool.report_step (report_id, factory_id, version, step, to_state, at,"
                " account_id, actor, role, comment, items, due_on, policy_id)"
                " SELECT report_id, factory_id, 9, 'submit', 'submitted', now(), %s, 'x', 'x', '',"
                " '{}', due_on, policy_id FROM pool.report_step",
                (actor.account_id,),
            )


def test_a_report_does_not_move_without_a_step(reporting: Reporting) -> None:
    conn = reporting.pooled.conn
    _, key = reporting.pooled.person("county_officer")
    with pytest.raises(store.errors.StoreError), store.acting.acting(conn, key):
        conn.execute("UPDATE pool.report SET state = 'county_passed', version = version + 1")


def test_a_change_is_reported_and_becomes_evidence(pooled: Pooled) -> None:
    conn = pooled.conn
    with pooled.as_("ent_filler") as actor:
        number = report_opening.begin(
            conn, actor, pooled.factory_id, "CHG", date(2026, 2, 10), now=pooled.now
        )
    found = Reporting(pooled, number)
    assert found.view().report.due_on == date(2026, 5, 10)
    found.submit(
        Given("change_what", "given", "stop"), Given("change_text", "given", "停产检修三个月")
    )
    assert {"change_reported", "evidence_recorded"} <= set(events(found))
    assert pooled.move("city_officer", "suspend", "停产").membership.state == "suspended"


def test_an_accident_is_told_at_once(pooled: Pooled) -> None:
    with pooled.as_("ent_filler") as actor:
        number = report_opening.begin(
            pooled.conn, actor, pooled.factory_id, "ACC", date(2026, 3, 1), now=pooled.now
        )
        with pytest.raises(Declined, match="still to come"):
            report_opening.begin(
                pooled.conn, actor, pooled.factory_id, "ACC", date(2026, 4, 1), now=pooled.now
            )
    found = Reporting(pooled, number)
    assert found.view().report.due_on == date(2026, 3, 2)
    found.submit(Given("accident_grade", "given", "general"))
    (payload,) = found.rows("SELECT payload FROM pool.event WHERE kind = 'accident_reported'")
    assert payload[0]["accident_grade"] == "general"


def test_a_difficulty_opens_one_ticket_that_a_correction_carries_on(reporting: Reporting) -> None:
    conn, pooled = reporting.pooled.conn, reporting.pooled

    def again(words: str) -> None:
        reporting.move("county_officer", "county_return", "更正", difficulties="请写明")
        reporting.fill(Given("difficulties", "given", words))
        reporting.move("ent_filler", "hand_over")
        reporting.move("ent_approver", "submit")

    reporting.submit(Given("difficulties", "given", "缺少数控编程人员"))
    (ticket,) = store.tickets.listed(conn)
    (payload,) = reporting.rows("SELECT payload FROM pool.event WHERE kind = 'help_asked'")
    assert (payload[0]["text"], payload[0]["ticket"]) == ("缺少数控编程人员", ticket.ticket_id)
    assert (ticket.report_id, ticket.level) == (reporting.report_id, "county")
    assert ticket.subject == "季度填报（2026-01-01 至 2026-03-31）中提出的困难"
    todos.turn(conn, now=pooled.now)
    assert ("answer_ticket_county", "county_officer") in reporting.rows(
        "SELECT kind, role FROM pool.todo WHERE closed_at IS NULL"
    )
    again("缺少数控编程人员")
    again("缺少数控编程人员 3 名")
    (ticket,) = store.tickets.listed(conn)
    said = [(each.act, each.text) for each in store.tickets.said(conn, ticket.ticket_id)]
    assert said == [("open", "缺少数控编程人员"), ("reply", "缺少数控编程人员 3 名")]
    with pooled.as_("ent_approver") as actor:
        tickets.close(conn, actor, ticket.ticket_id, "", version=ticket.version, now=pooled.now)
    again("仍缺 1 名")
    (ticket,) = store.tickets.listed(conn)
    assert (ticket.state, store.tickets.said(conn, ticket.ticket_id)[-1].act) == ("open", "reopen")


def test_only_the_filler_begins_a_report(pooled: Pooled) -> None:
    for role in sorted(ROLES.keys() - {"ent_filler", "system"}):
        with pooled.as_(role) as actor, pytest.raises(NotAllowed):
            report_opening.begin(
                pooled.conn, actor, pooled.factory_id, "ACC", date(2026, 3, 1), now=pooled.now
            )
