"""Opening reports: quarters and years by the calendar, changes and accidents by the enterprise."""

from datetime import date, datetime, timedelta

from api.pool import evidence, settings, workdays
from api.pool.errors import Declined, NotAllowed
from api.pool.policy import Policy
from api.pool.refused import refused
from api.pool.reports import mark_overdue
from api.pool.workdays import Day
from store import Connection, events, reports, transaction
from store.acting import SYSTEM, Actor
from store.audit import note
from store.reports import Member, NewReport, NewStep

_MONTHS = {"Q": 3, "Y": 12}
_DAY = timedelta(days=1)


def open_due(conn: Connection, *, now: datetime) -> list[int]:
    """Open the reports of the newest quarter and year that ended since a factory's entry.

    Each once, filled in with what was verified by now; return the new ones. A report of a later
    period does not wait for an earlier one that was missed while nothing ran: that one is opened
    too, back to the entry.
    """
    today = workdays.today(now)
    found = []
    with transaction(conn):
        policy = settings.current(conn, today)
        known = reports.opened(conn)
        for member in reports.members(conn):
            for kind, start, end in _ended(member, today):
                if (member.membership_id, kind, start) in known:
                    continue
                kpis = reports.promised(conn, member.factory_id)
                due = Day(_due(kind, end, policy))
                if due.on < today:  # what the system opens late is not late at once
                    due = workdays.last_day(today, policy.term("report.return"))
                new = NewReport(
                    member.membership_id, member.factory_id, kind, start, end, "open", due.on,
                    due.estimated, kpis,
                )  # fmt: skip
                found += _open(conn, SYSTEM, new, policy, now)
    return found


def refresh(conn: Connection, *, now: datetime) -> int:
    """Tell new revisions of figures to the reports that are still worked on; return how many."""
    with transaction(conn):
        return reports.prefill(conn, reports.to_prefill(conn), now)


def nightly(conn: Connection, *, now: datetime) -> dict[str, int]:
    """Do what a day brings: open reports, tell new revisions, mark what is late."""
    return {
        "opened": len(open_due(conn, now=now)),
        "refreshed": refresh(conn, now=now),
        "overdue": len(mark_overdue(conn, now=now)),
    }


def begin(
    conn: Connection, actor: Actor, factory_id: int, kind: str, happened_on: date, *, now: datetime
) -> int:
    """Begin a report of a change or an accident and return its number.

    Raises NotFound, NotPossible for who left the pool, NotAllowed, Declined for a day to come.
    """
    if kind not in ("CHG", "ACC"):
        raise refused("opened_by_system", Declined)
    if actor.role != "ent_filler":
        raise refused("begun_by_filler", NotAllowed)
    today = workdays.today(now)
    if happened_on > today:
        raise refused("to_come", Declined, day=happened_on)
    with transaction(conn):
        stay = evidence.running(conn, factory_id)
        policy = settings.current(conn, today)
        term = policy.term("report.change" if kind == "CHG" else "report.accident")
        due = workdays.last_day(happened_on, term)
        new = NewReport(
            stay.membership_id, factory_id, kind, happened_on, happened_on + _DAY, "filling",
            due.on, due.estimated, [],
        )  # fmt: skip
        (number,) = _open(conn, actor, new, policy, now)
    return number


def _ended(member: Member, today: date) -> list[tuple[str, date, date]]:
    """Return the quarters and years that ended since a factory's entry, oldest first."""
    entered = workdays.today(member.since)
    found = []
    for kind, months in _MONTHS.items():
        first = (entered.month - 1) // months * months + 1
        start = date(entered.year, first, 1)
        while (end := workdays.add_months(start, months)) <= today:
            found.append((kind, start, end))
            start = end
    return found


def _due(kind: str, end: date, policy: Policy) -> date:
    """Return the last day for a report of a period that ended before a day."""
    if kind == "Q":
        return end.replace(day=min(policy.count("report.quarter_due"), _days_in(end)))
    month, day = policy.text("report.year_due").split("-")
    return date(end.year, int(month), min(int(day), _days_in(date(end.year, int(month), 1))))


def _days_in(month: date) -> int:
    first = month.replace(day=1)
    return (workdays.add_months(first, 1) - first).days


def _open(
    conn: Connection, actor: Actor, new: NewReport, policy: Policy, now: datetime
) -> list[int]:
    step = NewStep("open", None, "", {}, settings.kept(conn, policy))
    number = reports.open_report(conn, actor, new, step, now)
    if number is None:
        return []
    if new.kind in _MONTHS:
        reports.prefill(conn, [number], now)
    after = {"kind": new.kind, "period_start": new.period_start.isoformat(),
             "period_end": new.period_end.isoformat(), "due_on": new.due_on.isoformat(),
             "state": new.state}  # fmt: skip
    note(
        conn, actor, "report_opened", kind="report", key=number, factory_id=new.factory_id,
        after=after,
    )  # fmt: skip
    payload = after | {"report_id": number, "deadline": new.due_on.isoformat(),
                       "deadline_estimated": new.due_estimated}  # fmt: skip
    events.happened(conn, actor, new.factory_id, "report_opened", payload, now)
    return [number]
