"""Disputes: raised in time with reason and evidence, and each step open to its roles alone."""

from datetime import UTC, date, datetime
from itertools import product

import pytest

import store.figures
from api.errors import NotFound
from api.pool import disputes
from api.pool.dispute_table import table
from api.pool.disputes import Given
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from api.pool.roles import ROLES
from store.errors import NotPermitted
from tests.api.pool.disputing import SHA, Disputing
from tests.api.pool.reporting import YEAR


def test_a_dispute_comes_with_reason_and_evidence(disputing: Disputing) -> None:
    disputing.begin(rerun=False)
    found = disputing.found()
    assert (found.state, found.claimed, found.figure.point) == ("raised", 0.8, 0.75)
    (taken,) = store.disputes.steps(disputing.conn, disputing.number)
    assert (taken.comment, taken.file_sha256) == ("计划停机被计为停机", SHA)
    with pytest.raises(NotPossible, match="open already"):
        disputing.begin("ent_filler")
    for file, reason, claimed, why in (
        ("0" * 64, "why", 0.8, "no file"), (SHA, " ", 0.8, "say the reason"),
        (SHA, "why", float("nan"), "the value"), (SHA, "why", -1.0, "from 0 to 100 %"),
            (SHA, "why", 80.0, "from 0 to 100 %"),
    ):  # fmt: skip
        with disputing.pooled.as_("ent_filler") as actor, pytest.raises(Declined, match=why):
            disputes.raise_dispute(
                disputing.conn, actor, disputing.pooled.factory_id, "oee", YEAR[0],
                claimed=claimed, reason=reason, file_sha256=file, now=disputing.pooled.now,
            )  # fmt: skip


def test_a_dispute_is_in_time_for_fifteen_working_days(disputing: Disputing) -> None:
    pooled = disputing.pooled
    # Told on 2 April; a holiday of three days and the Labour Day weekends lie between.
    pooled.now = datetime(2026, 4, 24, 15, 59, tzinfo=UTC)
    disputing.begin()
    assert disputing.found().due_on == date(2026, 4, 24)
    disputing.move("ent_filler", "withdraw")
    pooled.now = datetime(2026, 4, 24, 16, 0, tzinfo=UTC)
    with pytest.raises(NotPossible, match="ended on 2026-04-24"):
        disputing.begin()


def test_only_the_enterprise_disputes(disputing: Disputing) -> None:
    for role in sorted(ROLES.keys() - {"ent_filler", "ent_approver", "system"}):
        with disputing.pooled.as_(role) as actor, pytest.raises(NotAllowed):
            disputes.raise_dispute(
                disputing.conn, actor, disputing.pooled.factory_id, "oee", YEAR[0],
                claimed=0.8, reason="why", file_sha256=SHA, now=disputing.pooled.now,
            )  # fmt: skip
    with disputing.pooled.as_("ent_filler") as actor, pytest.raises(NotFound, match="no closed"):
        disputes.raise_dispute(
            disputing.conn, actor, disputing.pooled.factory_id, "oee", date(2025, 5, 1),
            claimed=0.8, reason="why", file_sha256=SHA, now=disputing.pooled.now,
        )  # fmt: skip


def test_a_rejected_dispute_leaves_everything_as_it_is(disputing: Disputing) -> None:
    disputing.begin()
    disputing.measure()
    found = disputing.move("city_officer", "reject", "复测工况不具代表性", document="示例函 2 号")
    assert found.state == "settled"
    assert disputing.pooled.count("pool.settled_value") == 0
    steps = store.disputes.steps(disputing.conn, disputing.number)
    assert [each.step for each in steps] == ["raise", "rerun", "assign", "measure", "reject"]
    with pytest.raises(NotPossible):
        disputing.move("ent_filler", "withdraw")
    disputing.begin()


def test_a_measurement_is_needed_and_a_stale_version_is_refused(disputing: Disputing) -> None:
    disputing.begin()
    disputing.move("county_officer", "assign", side="county")
    with pytest.raises(NotPossible, match="nothing was measured") as refused:
        disputing.move("city_officer", "accept", "why", document="d")
    open_now = [each.transition.transition_id for each in refused.value.possible if each.allowed]
    assert open_now == ["ask_rerun", "assign", "reject"]
    with disputing.pooled.as_("city_officer") as actor, pytest.raises(StaleVersion):
        disputes.move(
            disputing.conn, actor, disputing.number, Given("reject", "why", document="d"),
            version=1, now=disputing.pooled.now,
        )  # fmt: skip


def test_every_step_is_open_to_its_roles_alone(disputing: Disputing) -> None:
    disputing.begin()
    disputing.measure()
    actor, _ = disputing.pooled.person("verifier")
    store.accounts.assign(disputing.conn, actor, actor.account_id or 0, "sample")
    wrong = []
    for step, role in product(table().steps.values(), ROLES):
        name = step.transition.transition_id
        if role == "system" or step.transition.who == ("system",):
            continue
        with disputing.pooled.as_(role) as someone:
            known = {
                each.transition.transition_id: each.allowed
                for each in disputes.view(disputing.conn, someone, disputing.number).steps
            } if role not in ("sysadmin", "secadmin", "auditor") else {}  # fmt: skip
        may = role in step.transition.who and (name, role) != ("measure", "verifier")
        if known.get(name, False) != may:
            wrong.append((name, role))
    assert wrong == []


def test_the_database_refuses_what_is_another_side_s(disputing: Disputing) -> None:
    disputing.begin()
    conn = disputing.conn
    for role in ("county_officer", "ent_filler", "verifier", "expert"):
        actor, key = disputing.pooled.person(role)
        with pytest.raises(NotPermitted), store.acting.acting(conn, key):
            conn.execute(
                "INSERT INTO pool.settled_value (factory_id, kpi, period_start, period_end, value,"
                " low, high, document, dispute_id, account_id, actor, at)"
                " VALUES (%s, 'oee', '2025-04-01', '2026-04-01', 1, 1, 1, 'd', %s, %s, 'x', now())",
                (disputing.pooled.factory_id, disputing.number, actor.account_id),
            )
        with pytest.raises(NotPermitted), store.acting.acting(conn, key):
            conn.execute("UPDATE pool.dispute SET claimed = 1")
    for role in ("ent_engineer", "county_leader", "expert"):
        with disputing.pooled.as_(role):
            assert conn.execute("SELECT FROM pool.dispute").rowcount == 1
            moved = conn.execute("UPDATE pool.dispute SET closed_at = now()")
            assert moved.rowcount == 0, role
