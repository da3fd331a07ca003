"""A situation in which a guard holds, and one in which it does not, for every guard there is."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from api.pool.lifecycle import Lifecycle, Transition
from api.pool.policy import merged
from api.pool.situation import Item, KpiVerdict, OpenWarning, Situation

TODAY = date(2026, 11, 23)
AUTHOR, OTHER = 7, 8

Change = Callable[[Situation], Situation]


def plain(state: str) -> Situation:
    """A membership in the middle of its term: nothing on record, nothing due."""
    return Situation(
        today=TODAY,
        state=state,
        since=date(2026, 11, 2),
        entered=date(2026, 1, 15),
        policy=merged(TODAY, []),
        deadline=date(2026, 12, 10),
    )


def has(kind: str, *, on: date = TODAY, people: int = 2, **data: Any) -> Change:
    """Add a piece of evidence, newer than the others."""

    def change(situation: Situation) -> Situation:
        number = max((item.item_id for item in situation.items), default=0) + 1
        item = Item(number, kind, on, True, frozenset({AUTHOR}), people, data)
        return replace(situation, items=(*situation.items, item))

    return change


def lacks(*kinds: str) -> Change:
    """Take every piece of evidence of these kinds away."""
    return lambda one: replace(one, items=tuple(i for i in one.items if i.kind not in kinds))


def also(*changes: Change) -> Change:
    """Make several changes, one after the other."""

    def change(situation: Situation) -> Situation:
        for each in changes:
            situation = each(situation)
        return situation

    return change


def put(**fields: Any) -> Change:
    """Set fields of the situation."""
    return lambda one: replace(one, **fields)


WARNING = OpenWarning("completeness", date(2026, 11, 2), numbers={"share": 0.71})
OVER = put(deadline=TODAY - timedelta(days=1))
RUNNING = put(deadline=TODAY)
FINE = (KpiVerdict("oee", "met", "same"), KpiVerdict("defect_rate", "unknown", "unknown"))

TOLD = also(lacks("removal_notice", "statement", "hearing"), has("removal_notice"))
# The time to be heard, 5 working days, is over.
_LONG_AGO = has("removal_notice", on=TODAY - timedelta(days=8))

GOOD: dict[str, tuple[Change, ...]] = {
    "warned": (put(warnings=(WARNING,)),),
    "causes_gone": (put(warnings=()),),
    "cause_lasts": (also(put(warnings=(WARNING,)), OVER), has("misstatement", document="1")),
    "term_running": (RUNNING,),
    "may_be_extended": (put(extensions=0),),
    "rectification_reported": (has("rectification_report"),),
    "site_check_passed": (
        has("site_check", passed=True),
        also(has("site_check", passed=False), has("site_check", passed=True)),
    ),
    "rectification_failed": (has("site_check", passed=False), OVER),
    "told": (has("removal_notice"),),
    "heard": (
        also(TOLD, has("hearing")),
        also(lacks("removal_notice", "statement", "hearing"), _LONG_AGO),
        also(TOLD, has("statement"), has("hearing")),
        also(lacks("removal_notice", "statement", "hearing"), _LONG_AGO, has("statement")),
    ),
    "review_due": (
        put(entered=date(2024, 11, 23)),
        has("sample"),
        has("complaint"),
        put(entered=date(2020, 1, 1), reviewed_on=date(2024, 11, 23)),
    ),
    "review_passed": (has("review_grade", grade="excellent"), has("review_grade", grade="good")),
    "review_conditional": (has("review_grade", grade="fair"),),
    "review_failed": (has("review_grade", grade="failed"),),
    "review_missed": (also(has("review_notice"), has("review_notice")),),
    "ground_for_expulsion": (has("accident"), has("dishonesty"), has("falsification")),
    "change_reported": (
        has("change_report", what="stop"),
        also(has("resumption"), has("change_report", what="relocation")),
    ),
    "production_resumed": (has("resumption"),),
    "reconnected": (put(heard_on=date(2026, 11, 18)),),
    "ended_or_too_long": (has("ending", what="dissolved"), OVER),
    "annex1_met": (has("annex1", met=56, of=56),),
    "nothing_false": (put(verdicts=FINE),),
    "nothing_worse": (put(verdicts=FINE),),
    "maturity_reached": (has("maturity", level=2), has("maturity", level=3)),
    "conditions_met": (has("conditions", title="先进级", met=True),),
    "order_set": (has("nomination_order", place=1),),
    "county_supports": (has("county_opinion", supports=True),),
    "award_announced": (has("award", document="示例公告〔2026〕1 号"),),
}

_UNGRADED = lacks("review_grade")
BAD: dict[str, tuple[tuple[str, Change], ...]] = {
    "warned": (("none", put(warnings=())),),
    "causes_gone": (("open", put(warnings=(WARNING, WARNING))),),
    "cause_lasts": (
        ("gone", also(lacks("misstatement"), put(warnings=()), OVER)),
        ("early", also(lacks("misstatement"), put(warnings=(WARNING,)), RUNNING)),
    ),
    "term_running": (("over", OVER),),
    "may_be_extended": (("used", put(extensions=1)),),
    "rectification_reported": (("none", lacks("rectification_report")),),
    "site_check_passed": (
        ("none", lacks("site_check")),
        ("few", has("site_check", people=1, passed=True)),
        ("failed", has("site_check", passed=False)),
    ),
    "rectification_failed": (
        ("running", also(lacks("site_check"), RUNNING)),
        ("running", also(lacks("site_check"), has("site_check", people=1, passed=False), RUNNING)),
        ("running", also(has("site_check", passed=True), RUNNING)),
    ),
    "told": (("none", lacks("removal_notice")),),
    "heard": (
        ("none", lacks("removal_notice")),
        ("waiting", TOLD),
        ("waiting", also(lacks("hearing", "removal_notice", "statement"),
                         has("removal_notice", on=TODAY - timedelta(days=7)))),
        ("waiting", also(lacks("removal_notice", "statement"), has("removal_notice"))),
        ("unanswered", also(TOLD, has("statement"))),
        ("unanswered", also(TOLD, has("hearing"), has("statement"))),
        ("unanswered", also(lacks("hearing", "removal_notice", "statement"), _LONG_AGO,
                            has("statement", on=TODAY - timedelta(days=4)))),
    ),
    "review_due": (
        ("early", also(lacks("sample", "complaint"), put(entered=date(2024, 11, 24)),
                       put(reviewed_on=None))),
        ("early", also(lacks("sample", "complaint"), has("sample", on=date(2026, 9, 1)),
                       put(reviewed_on=date(2026, 9, 2)))),
    ),
    "review_passed": (
        ("none", _UNGRADED),
        ("other", has("review_grade", grade="fair")),
        ("other", has("review_grade", grade="failed")),
    ),
    "review_conditional": (("none", _UNGRADED), ("other", has("review_grade", grade="good"))),
    "review_failed": (("none", _UNGRADED), ("other", has("review_grade", grade="fair"))),
    "review_missed": (
        ("few", also(lacks("review_notice"), has("review_notice"))),
        ("graded", has("review_grade", grade="good")),
    ),
    "ground_for_expulsion": (("none", lacks("accident", "dishonesty", "falsification")),),
    "change_reported": (
        ("none", lacks("change_report")),
        ("none", has("resumption")),
    ),
    "production_resumed": (("none", lacks("resumption")),),
    "reconnected": (
        ("never", put(heard_on=None)),
        ("silent", put(heard_on=date(2026, 11, 17))),
    ),
    "ended_or_too_long": (("running", also(lacks("ending"), RUNNING)),),
    "annex1_met": (("none", lacks("annex1")), ("few", has("annex1", met=55, of=56))),
    "nothing_false": (
        ("false", put(verdicts=(*FINE, KpiVerdict("inventory_turnover", "met", "false")))),
    ),
    "nothing_worse": (
        ("none", put(verdicts=(KpiVerdict("oee", "unknown", "same"),))),
        ("none", put(verdicts=())),
        ("worse", put(verdicts=(*FINE, KpiVerdict("standard_coal", "worse", "same")))),
    ),
    "maturity_reached": (("none", lacks("maturity")), ("low", has("maturity", level=1))),
    "conditions_met": (
        ("none", lacks("conditions")),
        ("unmet", has("conditions", title="先进级", met=False, unmet="三年审计报告")),
    ),
    "order_set": (("none", lacks("nomination_order")),),
    "county_supports": (
        ("none", lacks("county_opinion")),
        ("against", has("county_opinion", supports=False)),
    ),
    "award_announced": (("none", lacks("award")),),
}  # fmt: skip


def open_for(transition: Transition, state: str) -> Iterable[Situation]:
    """Yield situations in which every guard of a transition holds, each by every way it has."""
    for guard in transition.guards or ("",):
        for way in GOOD.get(guard, (put(),)):
            situation = plain(state)
            for name in transition.guards:
                situation = (way if name == guard else GOOD[name][0])(situation)
            yield situation


def starting(lifecycle: Lifecycle) -> list[tuple[Transition, str]]:
    """Return every transition with every state that it leaves."""
    return [(each, state) for each in lifecycle.transitions.values() for state in each.sources]
