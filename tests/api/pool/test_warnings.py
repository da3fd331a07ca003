"""The night's rules as pure functions: each there, not there, and at its edge."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from api.pool import warnings
from api.pool.errors import BadTable
from api.pool.policy import Setting, merged
from api.pool.warning_checks import CHECKS, Outcome, Seen
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

TODAY = date(2026, 6, 1)  # a Monday
FIRST = TODAY - timedelta(days=30)
AT = datetime(2026, 3, 1, tzinfo=UTC)
MEMBER = Member(1, 7, "sample", "cultivating", 1, 1, date(2026, 1, 15), None, None, None)


def seen(**fields: Any) -> Seen:
    return Seen(today=TODAY, policy=merged(TODAY, []), member=MEMBER, **fields)


def one(rule: str, given: Seen) -> Outcome | None:
    found = list(CHECKS[rule](given))
    assert len(found) <= 1
    return found[0] if found else None


def holds(rule: str, given: Seen) -> bool | None:
    found = one(rule, given)
    return None if found is None else found.holds


def days(share: float, count: int = 30) -> dict[date, float]:
    return {FIRST + timedelta(days=n): share * 2 * 86_400 for n in range(count)}


def heard(day: date) -> LastBatch:
    return LastBatch("gw-1", 11, 42, datetime(day.year, day.month, day.day, tzinfo=UTC), day)


def quarter(end: str, verdict: str, kpi: str = "oee") -> QuarterVerdict:
    return QuarterVerdict(kpi, date.fromisoformat(end), 5, verdict, 0.6, 0.5)


def report(verdict: str) -> JudgedReport:
    return JudgedReport(
        "oee", date(2025, 4, 1), date(2026, 4, 1), 9, verdict, 0.9, 0.6, 0.5, AT, AT.date()
    )


@pytest.mark.parametrize(
    ("share", "expected"), [(0.89, True), (0.9, False), (1.0, False), (0.0, True)]
)
def test_completeness_is_the_share_of_thirty_days(share: float, expected: bool) -> None:
    found = one("completeness", seen(assets=2, days=days(share), gateways=[heard(TODAY)]))
    assert found is not None
    assert found.holds is expected
    assert found.numbers["share"] == pytest.approx(share)
    assert found.numbers["batches"] == {"gw-1": 11}


def test_days_without_any_fact_count_as_not_heard() -> None:
    found = one("completeness", seen(assets=2, days=days(1.0, 26)))
    assert found is not None
    assert found.holds
    assert found.numbers["share"] == pytest.approx(26 / 30, abs=1e-6)


def test_days_of_a_filed_stop_count_neither_way() -> None:
    stop = Notice(date(2026, 5, 28), date(2026, 5, 31), date(2026, 5, 20), "planned_stop 1")
    given = seen(assets=2, days=days(1.0, 26))
    assert holds("completeness", given) is True
    assert holds("completeness", replace(given, notices=[stop])) is False


def test_completeness_is_not_judged_of_a_factory_that_came_later_or_has_no_plan() -> None:
    young = replace(MEMBER, entered_on=FIRST + timedelta(days=1))
    assert holds("completeness", seen(assets=0, days={})) is None
    assert holds("completeness", replace(seen(assets=2, days={}), member=young)) is None


@pytest.mark.parametrize(
    ("last", "count", "expected"),
    [
        # Yesterday was a Sunday: Thursday and Friday were worked.
        (date(2026, 5, 27), 2, False),
        (date(2026, 5, 26), 3, False),
        (date(2026, 5, 25), 4, True),
    ],
)
def test_a_gateway_may_be_silent_for_three_working_days(
    last: date, count: int, expected: bool
) -> None:
    found = one("silent", seen(gateways=[heard(last)]))
    assert found is not None
    assert (found.numbers["workdays"], found.holds) == (count, expected)
    assert (found.numbers["batch_id"], found.numbers["seq"]) == (11, 42)
    assert found.subject == "gw-1"


def test_holidays_are_no_working_days() -> None:
    golden = replace(seen(gateways=[heard(date(2026, 9, 30))]), today=date(2026, 10, 8))
    assert holds("silent", golden) is False


@pytest.mark.parametrize(
    ("filed", "expected"),
    [
        (date(2026, 5, 20), False),  # before
        (date(2026, 5, 21), False),  # within three working days of its beginning
        (date(2026, 5, 22), True),  # too late: Monday to Thursday before it count, as in any case
    ],
)
def test_a_notice_in_time_covers_a_silence_and_a_late_one_what_follows(
    filed: date, expected: bool
) -> None:
    stop = Notice(date(2026, 5, 18), date(2026, 6, 30), filed, "planned_stop 1")
    assert holds("silent", seen(gateways=[heard(date(2026, 5, 17))], notices=[stop])) is expected


def test_two_quarters_worse_in_a_row_are_a_cause_and_one_is_none() -> None:
    first, second = quarter("2026-01-01", "worse"), quarter("2026-04-01", "worse")
    found = one("worse", seen(quarters=[first, second]))
    assert found is not None
    assert found.holds
    assert found.subject == "oee"
    assert found.numbers["figures"] == [5, 5]
    assert holds("worse", seen(quarters=[second])) is None
    assert holds("worse", seen(quarters=[first, quarter("2026-04-01", "unknown")])) is None
    assert holds("worse", seen(quarters=[quarter("2025-10-01", "worse"), second])) is None
    assert holds("worse", seen(quarters=[second, quarter("2026-07-01", "partly")])) is False


def test_the_quarters_that_count_are_those_of_the_policy() -> None:
    policy = merged(TODAY, [Setting("warning.worse_quarters", 1, TODAY, "示例文号")])
    given = replace(seen(quarters=[quarter("2026-04-01", "worse")]), policy=policy)
    assert holds("worse", given) is True


@pytest.mark.parametrize(
    ("verdict", "expected"), [("false", True), ("off", False), ("same", False), ("unknown", None)]
)
def test_a_false_report_is_a_cause_until_a_later_one_is_not(
    verdict: str, expected: bool | None
) -> None:
    assert holds("inconsistent", seen(reports=[report(verdict)])) is expected


def test_what_a_passed_rectification_dealt_with_is_over() -> None:
    before, after = (replace(MEMBER, handled_at=AT + timedelta(days=days)) for days in (-1, 1))
    accident = Accident("evidence 3", AT.date(), AT)
    given = seen(reports=[report("false")], accidents=[accident])
    assert holds("inconsistent", replace(given, member=before)) is True
    assert holds("inconsistent", replace(given, member=after)) is False
    assert holds("accident", replace(given, member=before)) is True
    assert holds("accident", replace(given, member=after)) is None


def test_failed_checks_are_named_with_their_findings() -> None:
    failed = FailedChecks("P09", 2, [4, 8], date(2026, 4, 1), date(2026, 5, 1), AT)
    found = one("implausible", seen(findings=[failed]))
    assert found is not None
    assert found.holds
    assert (found.subject, found.numbers["findings"]) == ("P09", [4, 8])


def test_a_term_is_over_on_the_day_after_its_last() -> None:
    assert holds("deadline_passed", seen()) is None
    last = replace(MEMBER, state="watch", deadline=TODAY)
    assert holds("deadline_passed", replace(seen(), member=last)) is None
    over = replace(last, deadline=TODAY - timedelta(days=1))
    assert holds("deadline_passed", replace(seen(), member=over)) is True


def test_a_review_is_due_after_two_years() -> None:
    entered = replace(MEMBER, entered_on=date(2024, 6, 2))
    assert holds("review_due", replace(seen(), member=entered)) is None
    due = replace(MEMBER, entered_on=date(2024, 6, 1))
    assert holds("review_due", replace(seen(), member=due)) is True
    reviewed = replace(due, reviewed_on=date(2025, 1, 1))
    assert holds("review_due", replace(seen(), member=reviewed)) is None


def test_every_rule_says_its_numbers_in_both_languages() -> None:
    given = seen(
        assets=2, days={}, gateways=[heard(FIRST)],
        quarters=[quarter("2026-01-01", "worse"), quarter("2026-04-01", "worse")],
        reports=[report("false")], accidents=[Accident("evidence 3", AT.date(), AT)],
        findings=[FailedChecks("P09", 2, [4], FIRST, TODAY, AT)],
        late=[LateReport(6, "Q", date(2026, 1, 1), date(2026, 4, 1), date(2026, 4, 15))],
    )  # fmt: skip
    over = replace(MEMBER, state="watch", deadline=FIRST, entered_on=date(2020, 1, 1))
    found = [*warnings.judge(given, "warning")]
    found += warnings.judge(replace(given, member=over), "proposal")
    assert {each.rule for each in found if each.holds} == set(warnings.rules())
    assert "季度填报（2026-01-01 起）应于 2026-04-15 前提交" in warnings.said(found[0], "zh")
    for each in found:
        assert {language: warnings.said(each, language) for language in ("zh", "en")}
        assert "{" not in warnings.said(each, "zh")


def test_every_rule_knows_its_name() -> None:
    assert [each.rule for each in warnings.rules().values()] == list(warnings.rules())


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ('unseen = "stays"', 'unseen = "perhaps"', "one of its words"),
        ("[silent]", "[mute]", "differ in mute, silent"),
        ('effect = "proposal"', 'effect = "warning"', "a proposal has guards"),
        ('source = "建议：期满由人决定下一步"\n', "", "lacks source"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(before: str, after: str, what: str) -> None:
    from importlib.resources import files

    text = files("api.pool").joinpath("warnings.toml").read_text(encoding="utf-8")
    assert before in text
    with pytest.raises(BadTable, match=what):
        warnings.read(text.replace(before, after, 1))
