"""The checks of the night's run: pure functions of what was read of one factory.

A check says of each cause that it looked at whether it is there, with the numbers. What it cannot
judge it says nothing of; warnings.toml tells what becomes of a warning that is open then.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from api.pool import workdays
from api.pool.policy import Policy
from store.night import (
    Accident,
    FailedChecks,
    JudgedReport,
    LastBatch,
    LateReport,
    Member,
    Notice,
    QuarterVerdict,
)

_DAY = timedelta(days=1)
_DAY_S = 86_400.0
_MOST_DAYS = 400  # looked back over for working days; a silence that is longer fired long ago
# Words that say how a figure stands against what it was before.
_NOT_WORSE = {"over", "met", "partly", "missed"}
_CONSISTENT = {"same", "off"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the rules see of one factory on a day of the city; that day itself has not counted yet.

    days holds the seconds that its assets were heard of, by local day.
    """

    today: date
    policy: Policy
    member: Member
    assets: int = 0
    days: Mapping[date, float] | None = None
    gateways: Sequence[LastBatch] = ()
    notices: Sequence[Notice] = ()
    quarters: Sequence[QuarterVerdict] = ()
    reports: Sequence[JudgedReport] = ()
    findings: Sequence[FailedChecks] = ()
    accidents: Sequence[Accident] = ()
    late: Sequence[LateReport] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A cause that a rule looked at: there or not, since when, and the numbers that say so."""

    rule: str
    subject: str
    holds: bool
    since: date
    numbers: Mapping[str, Any]


def report_overdue(seen: Seen) -> Iterator[Outcome]:
    """Name each report that was due before today and is not with the county."""
    for each in seen.late:
        numbers = {
            "report": each.report_id,
            "kind": each.kind,
            "period_start": each.period_start.isoformat(),
            "period_end": each.period_end.isoformat(),
            "due_on": each.due_on.isoformat(),
        }
        yield Outcome("report_overdue", str(each.report_id), True, each.due_on + _DAY, numbers)


def completeness(seen: Seen) -> Iterator[Outcome]:
    """Hold the share of time that assets were heard of over the last days to its least.

    Days of a stop that notice was given of count neither way.
    """
    first = seen.today - timedelta(days=seen.policy.count("warning.completeness_days"))
    if not seen.assets or seen.member.entered_on > first:
        return
    days = [first + number * _DAY for number in range((seen.today - first).days)]
    counted = [day for day in days if not _noticed(seen, day)]
    if not counted:
        return
    heard_s = sum((seen.days or {}).get(day, 0.0) for day in counted)
    share = heard_s / (len(counted) * seen.assets * _DAY_S)
    least = seen.policy.share("warning.completeness")
    numbers = {
        "share": round(share, 6),
        "least": least,
        "first": first.isoformat(),
        "last": (seen.today - _DAY).isoformat(),
        "days": len(counted),
        "assets": seen.assets,
    } | _newest_batches(seen)
    yield Outcome("completeness", "", share < least, seen.today, numbers)


def silent(seen: Seen) -> Iterator[Outcome]:
    """Count the working days that each gateway has been silent without notice."""
    allowed = seen.policy.count("warning.silent")
    for each in seen.gateways:
        count, estimated = _silent_workdays(seen, each.heard_on)
        numbers = {
            "gateway": each.gateway,
            "heard_on": each.heard_on.isoformat(),
            "workdays": count,
            "allowed": allowed,
            "estimated": estimated,
            "batch_id": each.batch_id,
            "seq": each.seq,
        }
        yield Outcome("silent", each.gateway, count > allowed, each.heard_on, numbers)


def worse(seen: Seen) -> Iterator[Outcome]:
    """Look at the last quarters of each KPI: all worse than before, or the newest one not."""
    wanted = seen.policy.count("warning.worse_quarters")
    for kpi in sorted({each.kpi for each in seen.quarters}):
        judged = [each for each in seen.quarters if each.kpi == kpi]
        newest = judged[-wanted:]
        numbers = {
            "kpi": kpi,
            "quarters": len(newest),
            "ends": [each.period_end.isoformat() for each in newest],
            "figures": [each.figure_id for each in newest],
            "verified": [each.verified for each in newest],
            "before": newest[-1].before,
        }
        if newest[-1].verdict in _NOT_WORSE:
            yield Outcome("worse", kpi, False, newest[-1].period_end, numbers)
        elif len(newest) == wanted and _in_a_row(newest):
            yield Outcome("worse", kpi, True, newest[0].period_end, numbers)


def inconsistent(seen: Seen) -> Iterator[Outcome]:
    """Look at the newest report of each KPI that was judged: false, or the same as verified.

    A false one that a rectification or review dealt with is over.
    """
    for each in seen.reports:
        handled = seen.member.handled_at is not None and each.reported_at < seen.member.handled_at
        if each.verdict != "false" and each.verdict not in _CONSISTENT and not handled:
            continue
        numbers = {
            "kpi": each.kpi,
            "period_start": each.period_start.isoformat(),
            "period_end": each.period_end.isoformat(),
            "reported": each.reported,
            "verified": each.verified,
            "deviation": each.deviation,
            "figures": [each.figure_id],
            "reported_on": each.reported_on.isoformat(),
            "handled": handled,
        }
        holds = each.verdict == "false" and not handled
        yield Outcome("inconsistent", each.kpi, holds, each.reported_on, numbers)


def accident(seen: Seen) -> Iterator[Outcome]:
    """Name each accident on record that no rectification or review has dealt with since."""
    for each in seen.accidents:
        if seen.member.handled_at is None or each.at > seen.member.handled_at:
            numbers = {"happened_on": each.happened_on.isoformat(), "source": each.source}
            yield Outcome("accident", each.source, True, each.happened_on, numbers)


def implausible(seen: Seen) -> Iterator[Outcome]:
    """Name each rule of plausibility that the policy lists and that data of the stay fail."""
    for each in seen.findings:
        numbers = {
            "rule": each.rule,
            "count": each.count,
            "findings": each.finding_ids,
            "period_start": each.period_start.isoformat(),
            "period_end": each.period_end.isoformat(),
        }
        since = workdays.today(each.found_first)
        yield Outcome("implausible", each.rule, True, since, numbers)


def deadline_passed(seen: Seen) -> Iterator[Outcome]:
    """Hold from the day after the last day of the term that runs."""
    member = seen.member
    if member.deadline is not None and seen.today > member.deadline:
        numbers = {"deadline": member.deadline.isoformat(), "state": member.state}
        subject = f"{member.state} {member.deadline.isoformat()}"
        yield Outcome("deadline_passed", subject, True, member.deadline + _DAY, numbers)


def review_due(seen: Seen) -> Iterator[Outcome]:
    """Hold from the day on which the rhythm of reviews asks for one."""
    last = seen.member.reviewed_on or seen.member.entered_on
    due = workdays.last_day(last, seen.policy.term("review.every")).on
    if seen.today >= due:
        numbers = {"last": last.isoformat(), "due": due.isoformat()}
        yield Outcome("review_due", due.isoformat(), True, due, numbers)


Check = Callable[[Seen], Iterator[Outcome]]
CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        report_overdue, completeness, silent, worse, inconsistent, accident, implausible,
        deadline_passed, review_due,
    )
}  # fmt: skip


def _newest_batches(seen: Seen) -> dict[str, Any]:
    return {"batches": {each.gateway: each.batch_id for each in seen.gateways}}


def _silent_workdays(seen: Seen, heard_on: date) -> tuple[int, bool]:
    first = max(heard_on + _DAY, seen.today - timedelta(days=_MOST_DAYS))
    count, estimated = 0, False
    for number in range((seen.today - first).days):
        day = first + number * _DAY
        worked, guessed = _is_workday(day)
        if worked and not _noticed(seen, day):
            count += 1
            estimated |= guessed
    return count, estimated


def _noticed(seen: Seen, day: date) -> bool:
    allowed = seen.policy.count("warning.silent")
    return any(_covers(each, day, allowed) for each in seen.notices)


def _covers(notice: Notice, day: date, allowed: int) -> bool:
    """Tell whether a notice covers a day: one given too late covers what came after it."""
    if not notice.first <= day <= notice.last:
        return False
    return day >= notice.filed_on or notice.filed_on <= _last_to_file(notice.first, allowed)


@lru_cache(maxsize=4096)
def _last_to_file(first: date, allowed: int) -> date:
    return workdays.add_workdays(first, allowed).on


@lru_cache(maxsize=4096)
def _is_workday(day: date) -> tuple[bool, bool]:
    return workdays.is_workday(day)


def _in_a_row(quarters: Sequence[QuarterVerdict]) -> bool:
    ends = [each.period_end for each in quarters]
    return all(each.verdict == "worse" for each in quarters) and all(
        workdays.add_months(before, 3) == after for before, after in pairwise(ends)
    )
