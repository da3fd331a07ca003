"""What must hold before a step: each guard a pure function of the situation.

A guard returns None where it holds, else the reason why not, with its numbers. Its name stands in
lifecycle.toml, its words in guards.toml.
"""

from collections.abc import Callable
from datetime import date

from api.pool.policy import Policy
from api.pool.reasons import Reason, reason
from api.pool.situation import Item, Situation
from api.pool.workdays import last_day, workdays_between

Guard = Callable[[Situation], Reason | None]

GRADES = {
    "excellent": ("优秀", "excellent"),
    "good": ("合格", "good"),
    "fair": ("基本合格", "fair"),
    "failed": ("不合格", "failed"),
}
_GROUNDS = ("accident", "dishonesty", "falsification")
_DECIDED = {"over", "met", "partly", "missed", "worse"}


def warned(situation: Situation) -> Reason | None:
    """Hold where a warning is open."""
    return None if situation.warnings else reason("warned", "none")


def causes_gone(situation: Situation) -> Reason | None:
    """Hold where no warning is open."""
    if not situation.warnings:
        return None
    rules = ", ".join(sorted({each.rule for each in situation.warnings}))
    return reason("causes_gone", "open", count=len(situation.warnings), rules=rules)


def cause_lasts(situation: Situation) -> Reason | None:
    """Hold where a misstatement was found, or a warning outlived the term to clear it."""
    if situation.newest("misstatement"):
        return None
    if not situation.warnings:
        return reason("cause_lasts", "gone")
    if not _is_over(situation):
        return reason("cause_lasts", "early", deadline=situation.deadline)
    return None


def term_running(situation: Situation) -> Reason | None:
    """Hold up to and on the last day of the term."""
    if _is_over(situation):
        return reason("term_running", "over", deadline=situation.deadline)
    return None


def may_be_extended(situation: Situation) -> Reason | None:
    """Hold while the policy allows another extension."""
    most = situation.policy.count("rectify.extensions")
    if situation.extensions < most:
        return None
    return reason("may_be_extended", "used", count=situation.extensions, most=most)


def rectification_reported(situation: Situation) -> Reason | None:
    """Hold where the enterprise reported on this rectification."""
    return _exists(situation, "rectification_reported", "rectification_report")


def site_check_passed(situation: Situation) -> Reason | None:
    """Hold where the newest site check was passed and enough people made it."""
    check = situation.newest("site_check")
    least = situation.policy.count("site_check.people")
    if check is None:
        return reason("site_check_passed", "none")
    if check.people < least:
        return reason("site_check_passed", "few", people=check.people, least=least)
    return None if check.data["passed"] else reason("site_check_passed", "failed", on=check.on)


def rectification_failed(situation: Situation) -> Reason | None:
    """Hold after the term, or where enough people found the site wanting."""
    check = situation.newest("site_check")
    least = situation.policy.count("site_check.people")
    if _is_over(situation) or (check and not check.data["passed"] and check.people >= least):
        return None
    return reason("rectification_failed", "running", deadline=situation.deadline)


def told(situation: Situation) -> Reason | None:
    """Hold where the enterprise was told of its removal in this state."""
    return _exists(situation, "told", "removal_notice")


def heard(situation: Situation) -> Reason | None:
    """Hold where a hearing followed the notice and what was stated in time, or nothing was."""
    notice, hearing = situation.newest("removal_notice"), situation.newest("hearing")
    if notice is None:
        return reason("heard", "none")
    until = heard_until(notice, situation.policy)
    stated = [
        item
        for item in situation.items
        if item.kind == "statement" and item.item_id > notice.item_id and item.on <= until
    ]
    newest = max([notice, *stated], key=lambda item: item.item_id)
    if hearing and hearing.item_id > newest.item_id and hearing.on >= notice.on:
        return None
    if stated:
        return reason("heard", "unanswered", on=newest.on)
    return None if situation.today > until else reason("heard", "waiting", until=until)


def heard_until(notice: Item, policy: Policy) -> date:
    """Return the last day on which an enterprise that was told of its removal may be heard.

    It learns of the notice here, so that one put on record late takes nothing of its time.
    """
    begun = max(notice.on, notice.recorded or notice.on)
    return last_day(begun, policy.term("hearing.term")).on


def review_due(situation: Situation) -> Reason | None:
    """Hold where the rhythm says so, or a sample or complaint came since the last review."""
    last = situation.reviewed_on or situation.entered
    due = last_day(last, situation.policy.term("review.every")).on
    cause = situation.newest("sample", "complaint", current=False)
    if situation.today >= due or (cause and cause.on >= last):
        return None
    return reason("review_due", "early", on=due)


def review_passed(situation: Situation) -> Reason | None:
    """Hold where this review is graded excellent or good."""
    return _graded(situation, "review_passed", "excellent", "good")


def review_conditional(situation: Situation) -> Reason | None:
    """Hold where this review is graded fair."""
    return _graded(situation, "review_conditional", "fair")


def review_failed(situation: Situation) -> Reason | None:
    """Hold where this review is graded failed."""
    return _graded(situation, "review_failed", "failed")


def review_missed(situation: Situation) -> Reason | None:
    """Hold where enough notices were sent and still there is no grade."""
    if grade := situation.newest("review_grade"):
        zh, en = GRADES[grade.data["grade"]]
        return reason("review_missed", "graded", grade_zh=zh, grade_en=en)
    sent = sum(item.kind == "review_notice" and item.current for item in situation.items)
    least = situation.policy.count("review.notices")
    return None if sent >= least else reason("review_missed", "few", count=sent, least=least)


def ground_for_expulsion(situation: Situation) -> Reason | None:
    """Hold where an accident, dishonesty or falsification since entry is on record."""
    found = situation.newest(*_GROUNDS, current=False)
    return None if found else reason("ground_for_expulsion", "none")


def change_reported(situation: Situation) -> Reason | None:
    """Hold where a material change was reported that no resumption followed."""
    change = situation.newest("change_report", "resumption", current=False)
    if change is None or change.kind == "resumption":
        return reason("change_reported", "none")
    return None


def production_resumed(situation: Situation) -> Reason | None:
    """Hold where production resumed in this suspension."""
    return _exists(situation, "production_resumed", "resumption")


def reconnected(situation: Situation) -> Reason | None:
    """Hold where data arrived within the time that a gateway may be silent."""
    if situation.heard_on is None:
        return reason("reconnected", "never")
    silent = workdays_between(situation.heard_on, situation.today).days
    if silent <= situation.policy.count("warning.silent"):
        return None
    return reason("reconnected", "silent", heard=situation.heard_on, days=silent)


def ended_or_too_long(situation: Situation) -> Reason | None:
    """Hold where the enterprise ended or moved away, or the suspension ran out."""
    if situation.newest("ending") or _is_over(situation):
        return None
    return reason("ended_or_too_long", "running", deadline=situation.deadline)


def annex1_met(situation: Situation) -> Reason | None:
    """Hold where the newest assessment of the construction points reaches the share."""
    found = situation.newest("annex1", current=False)
    if found is None:
        return reason("annex1_met", "none")
    met, of = found.data["met"], found.data["of"]
    least = situation.policy.share("qualify.annex1")
    return (
        None
        if met >= least * of
        else reason("annex1_met", "few", met=met, of=of, least=f"{least:.0%}")
    )


def nothing_false(situation: Situation) -> Reason | None:
    """Hold where no report contradicts its verified figure."""
    return _no_verdict(situation, "nothing_false", "false", "consistency")


def nothing_worse(situation: Situation) -> Reason | None:
    """Hold where at least one figure was judged and none is worse than before."""
    if not any(each.fulfilment in _DECIDED for each in situation.verdicts):
        return reason("nothing_worse", "none")
    return _no_verdict(situation, "nothing_worse", "worse", "fulfilment")


def maturity_reached(situation: Situation) -> Reason | None:
    """Hold where the newest level of maturity on record is high enough."""
    found = situation.newest("maturity", current=False)
    least = situation.policy.count("qualify.maturity")
    if found is None:
        return reason("maturity_reached", "none")
    level = found.data["level"]
    return None if level >= least else reason("maturity_reached", "low", level=level, least=least)


def conditions_met(situation: Situation) -> Reason | None:
    """Hold where the newest check of a title's conditions found all of them met."""
    found = situation.newest("conditions", current=False)
    if found is None:
        return reason("conditions_met", "none")
    data = found.data
    if data["met"]:
        return None
    return reason("conditions_met", "unmet", title=data["title"], unmet=data.get("unmet", ""))


def order_set(situation: Situation) -> Reason | None:
    """Hold where the order of preference is set."""
    return _exists(situation, "order_set", "nomination_order")


def county_supports(situation: Situation) -> Reason | None:
    """Hold where the county's newest opinion is for it."""
    found = situation.newest("county_opinion")
    if found is None:
        return reason("county_supports", "none")
    return None if found.data["supports"] else reason("county_supports", "against", on=found.on)


def award_announced(situation: Situation) -> Reason | None:
    """Hold where the number of the announcement is on record."""
    return _exists(situation, "award_announced", "award")


GUARDS: dict[str, Guard] = {
    guard.__name__: guard
    for guard in (
        warned, causes_gone, cause_lasts, term_running, may_be_extended, rectification_reported,
        site_check_passed, rectification_failed, told, heard, review_due, review_passed,
        review_conditional, review_failed, review_missed, ground_for_expulsion, change_reported,
        production_resumed, reconnected, ended_or_too_long, annex1_met, nothing_false,
        nothing_worse, maturity_reached, conditions_met, order_set, county_supports,
        award_announced,
    )
}  # fmt: skip


def _is_over(situation: Situation) -> bool:
    return situation.deadline is not None and situation.today > situation.deadline


def _exists(situation: Situation, guard: str, kind: str) -> Reason | None:
    return None if situation.newest(kind) else reason(guard, "none")


def _graded(situation: Situation, guard: str, *grades: str) -> Reason | None:
    found = situation.newest("review_grade")
    if found is None:
        return reason(guard, "none")
    grade = found.data["grade"]
    if grade in grades:
        return None
    zh, en = GRADES[grade]
    return reason(guard, "other", grade_zh=zh, grade_en=en)


def _no_verdict(situation: Situation, guard: str, word: str, which: str) -> Reason | None:
    kpis = sorted(each.kpi for each in situation.verdicts if getattr(each, which) == word)
    return reason(guard, word, kpis=", ".join(kpis)) if kpis else None
