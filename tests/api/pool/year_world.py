"""One factory of the simulated year in the database: what it sends, and what people do there."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import store
from api.pool import membership, reports, settings, tickets
from api.pool.report_items import Given
from api.pool.workdays import ZONE
from kpi.jobs.figure_job import refresh_factory
from simulators.pool_year import Factory, Year
from simulators.pool_year.scenario import Deliveries, Report
from store import plans, registry
from store.canonical import Record
from tests.api.pool.feeds import Feed
from tests.api.pool.pooled import CLERK, Pooled
from tests.api.pool.reporting import Reporting, some
from tests.store.samples import sample_plan

KPI = "on_time_delivery"
_DAY = timedelta(days=1)
_PEOPLE = ("示例甲", "示例乙")
_LATE_DAYS = 5
# When quarters have ended, and in the end.
JUDGED = {date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1), date(2026, 12, 1)}

_RECORDED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "accident": ("county_officer", "accident", {"what": "safety", "document": "示例文号"}),
    "rectification_report": ("ent_filler", "rectification_report", {}),
    "site_check_passed": ("county_officer", "site_check", {"people": _PEOPLE, "passed": True}),
    "site_check_failed": ("county_officer", "site_check", {"people": _PEOPLE, "passed": False}),
    "removal_notice": ("city_officer", "removal_notice", {}),
    "statement": ("ent_approver", "statement", {}),
    "hearing": ("county_officer", "hearing", {"objected": True}),
    "complaint": ("county_officer", "complaint", {}),
    "review_grade": ("county_officer", "review_grade", {"grade": "good"}),
}
_MOVED = {
    "order_rectification": ("city_officer", "期满未消除"),
    "pass_rectification": ("city_leader", ""),
    "fail_rectification": ("city_leader", "期满未整改"),
    "start_review": ("city_officer", ""),
    "pass_review": ("city_leader", ""),
    "leave": ("ent_approver", "企业战略调整"),
}
_DESK = {
    "hand_over": ("ent_filler", ""),
    "submit": ("ent_approver", ""),
    "county_return": ("county_officer", "请补充"),
    "county_pass": ("county_officer", ""),
    "lock": ("city_officer", ""),
}


@dataclass
class World:
    """A factory of the scenario, and the people who act on it."""

    pooled: Pooled
    feed: Feed
    script: Factory
    year: Year
    _findings: dict[str, int] = field(default_factory=dict)
    _ticket: int = 0
    _sent_to: date | None = None

    @classmethod
    def load(cls, conn: store.Connection, script: Factory, year: Year) -> "World":
        """Let the factory enter and send what it sends, as far as it does not come late."""
        pooled = Pooled(conn, plans.load_plan(conn, _plan(script)), factory=script.code)
        with store.transaction(conn):
            policy = settings.current(conn, script.entered)
            membership.enter(
                conn, CLERK, pooled.factory_id, script.entered, policy,
                comment="", now=at(script.entered, time(9)),
            )  # fmt: skip
        feed = Feed(conn, pooled.factory_id, script.code)
        first = script.deliveries.first if script.deliveries else script.entered
        for stop in script.stops:
            feed.stop(stop.first, stop.last, stop.filed)
        for begins, ends in script.silent:
            feed.facts(first, begins)
            first = ends + _DAY
        feed.facts(first, year.last + _DAY)
        for each in script.thin:
            feed.facts(each.first, each.last + _DAY, each.share)
        return cls(pooled, feed, script, year)

    def before_night(self, day: date) -> None:
        """Let come what comes before the night of a day."""
        if not self.script.is_silent(day):
            self.feed.heard(at(day, time(0, 30)))
        for first, last in self.script.silent:
            if last + _DAY == day and not self.script.is_stopped(first):
                self.feed.facts(first, day)
        for each in self.script.findings:
            if each.found == day:
                self._findings[each.check] = self.feed.finding(each.check, each.month, day)
            if each.cleared == day:
                self.feed.finding_cleared(self._findings[each.check], day)

    def by_day(self, day: date) -> bool:
        """Let people do what they do on a day, and tell whether they did anything."""
        self.pooled.now = at(day, time(10))
        done = [act.do for act in self.script.acts if act.on == day]
        for what in done:
            self._act(what)
        filed = [
            (report, act.do)
            for report in self.script.reports
            for act in report.acts
            if act.on == day
        ]
        for report, what in filed:
            self._file(report, what)
        if self.script.deliveries and (day in JUDGED or any(what == "submit" for _, what in filed)):
            self._judge(self.script.deliveries, day)
        return bool(done or filed)

    def _act(self, what: str) -> None:
        pooled = self.pooled
        if what in _RECORDED:
            role, kind, said = _RECORDED[what]
            pooled.record(role, kind, **said)
        elif what in _MOVED:
            role, comment = _MOVED[what]
            pooled.move(role, what, comment)
        elif what == "confirm_leave":
            pooled.decide("city_leader", True)
        else:
            self._help(what)

    def _help(self, what: str) -> None:
        pooled = self.pooled
        role = "county_officer" if what == "answer_help" else "ent_filler"
        with pooled.as_(role) as actor:
            if what == "ask_help":
                self._ticket = tickets.ask(
                    pooled.conn, actor, pooled.factory_id,
                    subject="网络中断", text="请协调", level="county", now=pooled.now,
                )  # fmt: skip
                return
            say = {"answer_help": tickets.reply, "close_help": tickets.close}[what]
            version = tickets.of(pooled.conn, self._ticket).version
            say(pooled.conn, actor, self._ticket, "示例", version=version, now=pooled.now)

    def _file(self, report: Report, what: str) -> None:
        row = self.pooled.conn.execute(
            "SELECT report_id FROM pool.report WHERE factory_id = %s AND kind = %s"
            " AND period_start = %s",
            (self.pooled.factory_id, report.kind, report.start),
        ).fetchone()
        assert row is not None, f"the report {report.kind} {report.start} was not opened"
        reporting, (role, comment) = Reporting(self.pooled, int(row[0])), _DESK[what]
        if what == "hand_over":
            _fill(reporting, report)
        items = {"staff": "请核对"} if what == "county_return" else {}
        with self.pooled.as_(role) as actor:
            reports.move(
                self.pooled.conn, actor, reporting.report_id, what, version=reporting.version(),
                comment=comment, items=items, now=self.pooled.now,
            )  # fmt: skip

    def _judge(self, given: Deliveries, day: date) -> None:
        """Send the order lines of the months that ended, and have figures and verdicts formed."""
        lines = [line for month in self._ended_since(given, day) for line in _lines(given, month)]
        if lines:
            self.feed.send(tuple(lines), at(day, time(8)))
        conn = self.pooled.conn
        factory = registry.factory_by_code(conn, self.script.code)
        refresh_factory(conn, factory, at(day, time(12)))

    def _ended_since(self, given: Deliveries, day: date) -> list[date]:
        """Return the months that ended since lines were sent last."""
        found = []
        month = self._sent_to or given.first
        while (after := (month + 31 * _DAY).replace(day=1)) <= day:
            found.append(month)
            month = after
        self._sent_to = month
        return found


def at(day: date, clock: time) -> datetime:
    """Return a moment of a day in the city."""
    return datetime.combine(day, clock, ZONE)


def _fill(reporting: Reporting, report: Report) -> None:
    """Answer what is not answered yet; a figure is confirmed unless the scenario claims another."""
    left = [each for each in reporting.view().items if not each.is_answered]
    given = [
        Given(each.code, "confirmed") if each.is_verified else Given(each.code, "given", some(each))
        for each in left
    ]
    if report.claims is not None:
        given = [each for each in given if each.item != f"kpi.{KPI}"]
        given.append(Given(f"kpi.{KPI}", "disputed", report.claims, "按合同交期统计"))
    # Who returned it asked for an item anew.
    reporting.fill(*given or [Given("staff", "given", 12)])


def _lines(given: Deliveries, month: date) -> list[Record]:
    due = month.replace(day=15)
    late = due + _LATE_DAYS * _DAY
    return [
        Record(
            "order_line",
            f"SO-{month:%Y%m}-{number}",
            at(due, time(12)),
            {
                "line": f"SO-{month:%Y%m}-{number}",
                "quantity": 1,
                "due": due.isoformat(),
                "shipments": [[(due if number < given.on_time(month) else late).isoformat(), 1]],
            },
        )
        for number in range(given.lines)
    ]


def _plan(script: Factory) -> dict[str, Any]:
    plan = sample_plan(script.code, machines=1)
    plan["promises"], plan["self_reports"] = [], []
    if (given := script.deliveries) is not None:
        before = given.first.replace(year=given.first.year - 1)
        plan["factory"]["baseline"] = [before.isoformat(), given.first.isoformat()]
        plan["factory"]["renovated_on"] = given.first.isoformat()
        plan["promises"] = [
            {"kpi": KPI, "before": given.before, "basis": "declared", "expected": given.expected}
        ]
        link = {"name": "ERP.link", "role": "link", "unit": "1", "heartbeat_s": 86_400}
        plan["assets"].append(
            {
                "code": "ERP", "name_zh": "示例系统", "name_en": "Sample system", "kind": "system",
                "tags": [link],
            }
        )  # fmt: skip
    return plan
