"""Disputes: reason and evidence, a re-run beside the old run, a measurement, a decision."""

import hashlib
import sys
from datetime import UTC, date, datetime
from itertools import product

import pytest

import api.comparison
import store.figures
from api.errors import NotFound
from api.exports import report
from api.exports.model import Table
from api.pool import disputes, evidence, reruns
from api.pool.dispute_table import table
from api.pool.disputes import Given, Measured
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from api.pool.roles import ROLES
from api.worker import Limits, work_off
from kpi.jobs.figure_job import run_figures
from kpi.provenance.published import check
from store.disputes import Dispute
from store.errors import NotPermitted
from store.evidence_items import File
from tests.api.pool.pooled import Pooled
from tests.api.pool.reporting import YEAR, Reporting
from tests.api.samples import figure

PAPER = File("复测报告.pdf", "application/pdf", b"%PDF-1.7 sample")
SHA = hashlib.sha256(PAPER.content).hexdigest()
MEASURED = Measured(0.79, 0.78, 0.80, "现场连续 72 小时计时")


class Disputing:
    """A disputed OEE of the sample factory and the people who deal with it."""

    def __init__(self, reporting: Reporting) -> None:
        self.reporting = reporting
        self.pooled: Pooled = reporting.pooled
        self.conn = self.pooled.conn
        with self.pooled.as_("ent_filler") as actor:
            evidence.keep_file(self.conn, actor, self.pooled.factory_id, PAPER, now=self.pooled.now)
        self.number = 0

    def begin(self, role: str = "ent_approver", claimed: float = 0.8, *, rerun: bool = True) -> int:
        """Dispute the figure; its re-run is made unless a test waits for it."""
        with self.pooled.as_(role) as actor:
            self.number = disputes.raise_dispute(
                self.conn, actor, self.pooled.factory_id, "oee", YEAR[0], claimed=claimed,
                reason="计划停机被计为停机", file_sha256=SHA, now=self.pooled.now,
            )  # fmt: skip
        if rerun:
            self.rerun()
        return self.number

    def found(self) -> Dispute:
        dispute = store.disputes.dispute(self.conn, self.number)
        assert dispute is not None
        return dispute

    def move(
        self,
        role: str,
        step: str,
        comment: str = "",
        *,
        side: str | None = None,
        measured: Measured | None = None,
        document: str = "",
        file_sha256: str | None = None,
        verifier_id: int | None = None,
        name: str = "",
    ) -> Dispute:
        given = Given(
            step, comment,
            side=side, verifier_id=verifier_id, measured=measured, document=document,
            file_sha256=file_sha256,
        )  # fmt: skip
        version = self.found().version
        with self.pooled.as_(role, name) as actor:
            return disputes.move(
                self.conn, actor, self.number, given, version=version, now=self.pooled.now
            )

    def rerun(self) -> Dispute:
        """Make the re-run that was asked for."""
        return reruns.make(self.conn, self.number, now=self.pooled.now)

    def measure(self, role: str = "county_officer", side: str = "county") -> None:
        self.move("county_officer", "assign", side=side)
        self.move(role, "measure", measured=MEASURED, file_sha256=SHA)


@pytest.fixture
def disputing(reporting: Reporting) -> Disputing:
    """The sample factory with a file at hand, and a verified OEE that it may dispute."""
    return Disputing(reporting)


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
        (SHA, "why", float("nan"), "the value"), (SHA, "why", -1.0, "the value"),
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


def test_a_rerun_is_asked_for_at_once_and_stands_beside_the_old_run(disputing: Disputing) -> None:
    month = date(2026, 3, 1), date(2026, 4, 1)
    factory_id, now = disputing.pooled.factory_id, disputing.pooled.now
    made = figure(factory_id, "oee", "month", month, (0.7, 0.7, 0.7))
    store.figures.publish(disputing.conn, made, is_open=False)
    disputing.begin(rerun=False)
    assert disputes.rerun_state(disputing.found()) == "queued"
    with pytest.raises(NotPossible, match="re-run is not finished"):
        disputing.move("city_officer", "reject", "维持", document="示例函〔2026〕1号")
    assert reruns.make_all(disputing.conn, now=now) == {}
    assert store.reruns.to_make(disputing.conn) == []
    found = disputing.found()
    assert disputes.rerun_state(found) == "done"
    assert found.rerun is not None
    # No row of the sample factory was ever measured: the re-run finds no figure at all.
    assert (found.figure.revision, found.figure.point) == (1, 0.75)
    assert (found.rerun.revision, found.rerun.point) == (2, None)
    taken = store.disputes.steps(disputing.conn, disputing.number)[-1]
    assert (taken.step, taken.role) == ("rerun", "system")
    assert (taken.data["before"], taken.data["after"]) == (0.75, None)
    kept = store.figures.revisions(disputing.conn, factory_id, "oee", "rolling12", YEAR[0])
    assert [each.point for each in kept] == [0.75, None]


def test_a_process_makes_the_rerun_and_the_page_knows_at_once(
    disputing: Disputing, database_url: str
) -> None:
    disputing.begin(rerun=False)
    assert work_off(reruns.RERUNS, database_url) == 1
    assert disputes.rerun_state(disputing.found()) == "done"
    assert work_off(reruns.RERUNS, database_url) == 0


def test_a_rerun_that_fails_says_why_and_can_be_asked_for_again(
    disputing: Disputing, database_url: str
) -> None:
    disputing.begin(rerun=False)
    failing = (sys.executable, "-c", "import sys; print('no disk', file=sys.stderr); sys.exit(1)")
    at_once = Limits(seconds=60, waits_s=(0.0,))
    assert work_off(reruns.RERUNS, database_url, limits=at_once, command=failing) == 0
    found = disputing.found()
    assert (disputes.rerun_state(found), found.rerun_error) == ("failed", "broken: no disk")
    (told,) = disputing.reporting.rows(
        "SELECT payload FROM pool.event WHERE kind = 'dispute_rerun_failed'"
    )
    assert told[0]["dispute_id"] == disputing.number
    # What was given up waits for nobody, and holds no decision up.
    assert work_off(reruns.RERUNS, database_url) == 0
    disputing.pooled.later(minutes=1)
    disputing.move("county_officer", "ask_rerun", "再算一次")
    found = disputing.found()
    assert (disputes.rerun_state(found), found.rerun_error) == ("queued", None)
    assert work_off(reruns.RERUNS, database_url) == 1
    assert disputes.rerun_state(disputing.found()) == "done"


def test_the_city_lets_a_measurement_count_and_the_figure_stays(
    disputing: Disputing, database_url: str
) -> None:
    disputing.conn.execute(
        "UPDATE registry.factory SET baseline_from = '2024-04-01', baseline_to = '2025-04-01',"
        " renovated_on = '2025-04-01'"
    )
    conn, pooled = disputing.conn, disputing.pooled
    disputing.begin()
    disputing.measure()
    with pytest.raises(Declined, match="say why"):
        disputing.move("city_leader", "accept", document="示例函〔2026〕1号")
    with pytest.raises(Declined, match="say the document"):
        disputing.move("city_leader", "accept", "复测有效")
    found = disputing.move("city_leader", "accept", "复测有效", document="示例函〔2026〕1号")
    assert found.state == "settled"
    assert found.closed_at is not None
    (figure_,) = store.figures.revisions(conn, pooled.factory_id, "oee", "rolling12", YEAR[0])
    assert figure_.point == 0.75
    run_figures(database_url, pooled.now)
    (verdict,) = [
        each for each in store.figures.verdicts(conn, pooled.factory_id)
        if (each.kpi, each.period_start) == ("oee", YEAR[0])
    ]  # fmt: skip
    # From 0.61 to 0.78 was promised: 0.79 is more than that, 0.75 were less.
    assert verdict.figure_id == figure_.figure_id
    assert verdict.fulfilment == pytest.approx((0.79 - 0.61) / (0.78 - 0.61))
    assert [
        each for each in check(conn, pooled.factory_id, "sample") if each.kind == "verdict"
    ] == []


def test_what_was_settled_names_its_document_in_comparison_and_report(
    disputing: Disputing,
) -> None:
    conn, pooled = disputing.conn, disputing.pooled
    disputing.begin()
    disputing.measure()
    disputing.move("city_leader", "accept", "复测有效", document="示例函〔2026〕1号")
    factory = store.registry.factory_by_code(conn, "sample")
    settled = api.comparison.load(conn, factory, YEAR[0]).settled["oee"]
    assert (settled.value, settled.document) == (0.79, "示例函〔2026〕1号")
    assert (settled.dispute_id, settled.file_sha256) == (disputing.number, SHA)
    values = report.of_year(conn, factory, YEAR[0], pooled.now.date()).inserts["values"]
    (table_,) = [each for each in values if isinstance(each, Table) and "复测值" in each.caption]
    assert "示例函〔2026〕1号" in str(table_.rows)
    assert SHA[:16] in str(table_.rows)


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


def test_only_who_was_named_measures_and_sees_the_factory_until_it_is_over(
    disputing: Disputing,
) -> None:
    disputing.begin()
    named, _ = disputing.pooled.person("verifier")
    other, _ = disputing.pooled.person("verifier", "other")
    for verifier_id in (None, 0, disputing.pooled.person("expert")[0].account_id):
        with pytest.raises(Declined, match="which verifier"):
            disputing.move("city_officer", "assign", side="verifier", verifier_id=verifier_id)
    # Who is not named does not even find it.
    with pytest.raises(NotFound):
        disputing.move("verifier", "measure", measured=MEASURED, file_sha256=SHA)
    found = disputing.move(
        "county_officer", "assign", side="verifier", verifier_id=named.account_id
    )
    assert found.assigned_id == named.account_id
    for role in ("county_officer", "ent_filler", "city_officer", "county_leader", "expert"):
        with pytest.raises(NotAllowed):
            disputing.move(role, "measure", measured=MEASURED, file_sha256=SHA)
    # Another one of the same factory, as for another dispute, is refused all the same.
    store.accounts.assign(disputing.conn, other, other.account_id or 0, "sample")
    with pytest.raises(NotAllowed, match="the verifier who was named"):
        disputing.move("verifier", "measure", measured=MEASURED, file_sha256=SHA, name="other")
    disputing.move("verifier", "measure", measured=MEASURED, file_sha256=SHA)
    assert store.disputes.steps(disputing.conn, disputing.number)[-1].role == "verifier"
    disputing.move("city_officer", "accept", "复测有效", document="示例函〔2026〕1号")
    with disputing.pooled.as_("verifier") as actor, pytest.raises(NotFound):
        disputes.view(disputing.conn, actor, disputing.number)


def test_who_was_named_first_loses_the_factory_when_another_is(disputing: Disputing) -> None:
    disputing.begin()
    first, _ = disputing.pooled.person("verifier")
    disputing.move("county_officer", "assign", side="verifier", verifier_id=first.account_id)
    disputing.move("county_officer", "assign", side="county")
    assert disputing.found().assigned_id is None
    with disputing.pooled.as_("verifier") as actor, pytest.raises(NotFound):
        disputes.view(disputing.conn, actor, disputing.number)


def test_the_database_lets_only_officers_name_a_verifier(disputing: Disputing) -> None:
    disputing.begin()
    conn = disputing.conn
    named, _ = disputing.pooled.person("verifier")
    name = "UPDATE pool.dispute SET assigned_id = %s"
    for role in ("ent_filler", "ent_approver"):
        _, key = disputing.pooled.person(role)
        with pytest.raises(NotPermitted), store.acting.acting(conn, key):
            conn.execute(name, (named.account_id,))
    for role in ("expert", "county_leader"):
        with disputing.pooled.as_(role):
            assert conn.execute(name, (named.account_id,)).rowcount == 0
    for role in ("ent_filler", "ent_approver", "expert", "county_leader"):
        with disputing.pooled.as_(role):
            assert store.disputes.verifiers(conn) == []
    assert disputing.pooled.count("auth.account_factory WHERE dispute_id IS NOT NULL") == 0


def test_a_measurement_lies_within_its_bounds_and_has_a_paper(disputing: Disputing) -> None:
    disputing.begin()
    disputing.move("county_officer", "assign", side="county")
    for measured, file, why in (
        (Measured(0.5, 0.6, 0.7, "m"), SHA, "between its bounds"),
        (Measured(float("nan"), 0.6, 0.7, "m"), SHA, "between its bounds"),
        (Measured(0.6, 0.6, 0.7, ""), SHA, "say the method"),
        (None, SHA, "what was measured"),
        (MEASURED, None, "the file"),
        (MEASURED, "0" * 64, "no file"),
    ):
        with pytest.raises(Declined, match=why):
            disputing.move("county_officer", "measure", measured=measured, file_sha256=file)
    with pytest.raises(Declined, match="who measures"):
        disputing.move("county_officer", "assign", side="nobody")


def test_who_measured_does_not_decide(disputing: Disputing) -> None:
    disputing.begin()
    disputing.measure()
    measurer, key = disputing.pooled.person("county_officer")
    conn = disputing.conn
    conn.execute(
        "UPDATE auth.account SET role = 'city_officer', region_code = NULL WHERE account_id = %s",
        (measurer.account_id,),
    )
    promoted = store.acting.Actor(measurer.account_id, measurer.name, "city_officer")
    with store.acting.acting(conn, key), pytest.raises(NotAllowed, match="what you measured"):
        disputes.move(
            conn, promoted, disputing.number, Given("accept", "why", document="d"),
            version=disputing.found().version, now=disputing.pooled.now,
        )  # fmt: skip


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
