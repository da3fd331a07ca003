"""The rules of the night's run: pure functions of what was read of one factory, and their words.

A rule says of each cause that it looked at whether it is there, with the numbers. What it cannot
judge it says nothing of; warnings.toml tells what becomes of a warning that is open then.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from api.pool import policy, report_table, warning_words, workdays
from api.pool.errors import BadTable
from api.pool.policy import Policy
from store.warnings import (
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
_EFFECTS = {"warning", "proposal"}
_UNSEEN = {"gone", "stays"}
_LANGUAGES = {"zh", "en"}
_AND = {"zh": "；", "en": "; "}
_LONGEST = 2000
_GONE = {"zh": "原因均已消除", "en": "All causes are gone"}
_FIELDS = {"zh", "en", "effect", "unseen", "source", "said", "clears", "policy"}
# Words that say how a figure stands against what it was before.
_NOT_WORSE = {"over", "met", "partly", "missed"}
_CONSISTENT = {"same", "off"}


@dataclass(frozen=True, slots=True)
class Rule:
    """How a rule is called and said, what follows from it, and which policy it goes by."""

    rule: str
    zh: str
    en: str
    effect: str
    unseen: str
    source: str
    said: Mapping[str, str]
    clears: Mapping[str, str]
    cleared: Mapping[str, str]
    policy: tuple[str, ...]
    guards: tuple[str, ...]

    def text(self, language: str, numbers: Mapping[str, Any]) -> str:
        """Return the sentence with the numbers as people read them, in zh or en."""
        return self.said[language].format(**warning_words.shown(numbers, language))


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


@cache
def rules() -> Mapping[str, Rule]:
    """Return every rule by name, in the order of the table."""
    return read(files("api.pool").joinpath("warnings.toml").read_text(encoding="utf-8"))


def read(text: str) -> Mapping[str, Rule]:
    """Read a table of rules; raises BadTable with the rule and what is wrong with it."""
    found = {name: _rule(name, each) for name, each in tomllib.loads(text).items()}
    if found.keys() != CHECKS.keys():
        odd = sorted(found.keys() ^ CHECKS.keys())
        raise BadTable(f"the warnings' table and the rules differ in {', '.join(odd)}")
    return found


def judge(seen: Seen, effect: str) -> list[Outcome]:
    """Return what every rule of an effect says of a factory."""
    return [
        outcome
        for name, rule in rules().items()
        if rule.effect == effect
        for outcome in CHECKS[name](seen)
    ]


def said(outcome: Outcome, language: str) -> str:
    """Return an outcome as a sentence, in zh or en."""
    return _sentence(outcome.rule, outcome.numbers, language)


def retold(rule: str, numbers: Mapping[str, Any], language: str) -> str:
    """Return what is on record of a rule as a sentence, in zh or en.

    The bare numbers where the rule is not known any more or said something else then.
    """
    try:
        return _sentence(rule, numbers, language)
    except (KeyError, ValueError):
        return warning_words.bare(numbers)


def causes(found: Iterable[Mapping[str, Any]], language: str) -> str:
    """Return open warnings as a step keeps them as one comment, in zh or en."""
    told = [retold(str(each["rule"]), each["numbers"], language) for each in found]
    return (_AND[language].join(told) or _GONE[language])[:_LONGEST]


def ended(rule: str, numbers: Mapping[str, Any], language: str) -> str | None:
    """Return by which numbers a warning was cleared as a sentence, in zh or en.

    None where its cause was simply not there any more.
    """
    known = rules().get(rule)
    if known is None or "looked_on" in numbers or not known.cleared:
        return None
    try:
        return known.cleared[language].format(**warning_words.shown(numbers, language))
    except (KeyError, ValueError):
        return warning_words.bare(numbers)


def _sentence(rule: str, given: Mapping[str, Any], language: str) -> str:
    numbers = dict(given)
    if rule == "report_overdue":
        name = report_table.table().kinds[numbers["kind"]]
        numbers["kind"] = name.en if language == "en" else name.zh
    return rules()[rule].text(language, numbers)


def _rule(name: str, given: Mapping[str, Any]) -> Rule:
    place = f"warnings' table: {name}"
    if missing := sorted(_FIELDS - given.keys()):
        raise BadTable(f"{place} lacks {', '.join(missing)}")
    if unknown := sorted(given.keys() - _FIELDS - {"guards", "cleared"}):
        raise BadTable(f"{place} has no field {', '.join(unknown)}")
    if given["effect"] not in _EFFECTS or given["unseen"] not in _UNSEEN:
        raise BadTable(f"{place}: effect or unseen is not one of its words")
    for name in ("said", "clears", "cleared"):
        if set(given.get(name, _LANGUAGES)) != _LANGUAGES:
            raise BadTable(f"{place}: {name} must have zh and en")
    if strange := sorted(set(given["policy"]) - policy.keys().keys()):
        raise BadTable(f"{place}: the policy has no key {strange[0]}")
    if (given["effect"] == "proposal") != ("guards" in given):
        raise BadTable(f"{place}: a proposal has guards, and nothing else has")
    lists = {each: tuple(given.get(each, ())) for each in ("guards", "policy")}
    return Rule(rule=name, **{"cleared": {}, **given, **lists})


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
