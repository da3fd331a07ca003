"""Every transition × every role × each guard true and false, generated from the shipped file."""

from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from itertools import product

import pytest

from api.pool.errors import BadTable
from api.pool.guards import GUARDS
from api.pool.lifecycle import Transition, possible, read, shipped, why_not
from api.pool.policy import Policy
from api.pool.reasons import Reason, texts
from api.pool.roles import ROLES
from api.pool.workdays import Term
from tests.api.pool.situations import AUTHOR, BAD, GOOD, OTHER, TODAY, open_for, plain, starting

TEXT = files("api.pool").joinpath("lifecycle.toml").read_text(encoding="utf-8")
LIFECYCLE = shipped()
STARTS = starting(LIFECYCLE)
IDS = [f"{state}-{each.transition_id}" for each, state in STARTS]


def codes(*found: Reason) -> set[tuple[str, str]]:
    return {(each.guard, each.code) for each in found}


def test_every_guard_is_used_and_has_a_situation_for_both_sides() -> None:
    used = {name for each in LIFECYCLE.transitions.values() for name in each.guards}
    assert used == set(GUARDS) == set(GOOD) == set(BAD) == set(texts()) - {"step"}
    assert all(BAD.values())
    assert all(GOOD.values())


def test_every_reason_that_is_worded_is_given_by_a_situation() -> None:
    worded = {
        (guard, code)
        for guard, entry in texts().items()
        for code, text in entry.items()
        if isinstance(text, dict) and guard != "step"
    }
    assert {(guard, code) for guard, ways in BAD.items() for code, _ in ways} == worded


class _Listening(Policy):
    """A policy that knows which of its keys were read."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(list(policy))
        self.read: set[str] = set()

    def term(self, name: str) -> Term:
        self.read.add(name)
        return super().term(name)

    def count(self, name: str) -> int:
        self.read.add(name)
        return super().count(name)

    def share(self, name: str) -> float:
        self.read.add(name)
        return super().share(name)


@pytest.mark.parametrize("name", GUARDS)
def test_the_policy_that_a_guard_reads_stands_beside_its_words(name: str) -> None:
    policy = _Listening(plain("watch").policy)
    for change in (*GOOD[name], *(change for _, change in BAD[name])):
        GUARDS[name](replace(change(plain("watch")), policy=policy))
    assert policy.read == set(texts()[name].get("policy", ()))


@pytest.mark.parametrize("name", GUARDS)
def test_the_evidence_beside_a_guards_words_is_what_opens_it(name: str) -> None:
    kinds = set(texts()[name].get("evidence", ()))
    opening = {item.kind for way in GOOD[name] for item in way(plain("watch")).items}
    assert kinds <= opening <= kinds | {"removal_notice", "resumption"}


@pytest.mark.parametrize(("transition", "state"), STARTS, ids=IDS)
def test_a_step_is_open_to_its_roles_alone(transition: Transition, state: str) -> None:
    for role, situation in product(ROLES, open_for(transition, state)):
        found = why_not(transition, situation, role, OTHER)
        assert codes(*found) == (set() if role in transition.who else {("step", "role")}), role
        assert transition in [each.transition for each in possible(LIFECYCLE, situation, role, 1)]


@pytest.mark.parametrize(("transition", "state"), STARTS, ids=IDS)
def test_a_step_is_closed_while_any_guard_does_not_hold(transition: Transition, state: str) -> None:
    for situation, guard in product(open_for(transition, state), transition.guards):
        for (code, change), role in product(BAD[guard], ROLES):
            found = why_not(transition, change(situation), role, OTHER)
            assert (guard, code) in codes(*found), role
            assert (("step", "role") in codes(*found)) == (role not in transition.who)
            for each in found:
                assert "{" not in each.zh + each.en
                assert each.zh != each.en


@pytest.mark.parametrize(("transition", "state"), STARTS, ids=IDS)
def test_nobody_decides_on_what_they_made(transition: Transition, state: str) -> None:
    for role in transition.who:
        for situation in open_for(transition, state):
            rests_on_items = any(
                GUARDS[name](situation.without(AUTHOR)) for name in transition.guards
            )
            assert rests_on_items == bool(situation.items)
            expected = {("step", "own")} if rests_on_items else set()
            assert codes(*why_not(transition, situation, role, AUTHOR)) == expected
            assert not why_not(transition, situation, role, None)


def test_what_others_found_is_enough_beside_what_one_found_oneself() -> None:
    transition = LIFECYCLE.transitions["pass_rectification"]
    situation = next(iter(open_for(transition, "rectify")))
    others = [replace(item, authors=frozenset({OTHER})) for item in situation.items]
    both = replace(situation, items=(*others, *situation.items))
    assert why_not(transition, both, "city_leader", AUTHOR) == ()


def test_a_second_person_confirms_and_only_one_request_waits() -> None:
    leave = LIFECYCLE.transitions["leave"]
    waiting = replace(plain("cultivating"), request_open=True)
    assert codes(*why_not(leave, waiting, "ent_approver", 1)) == {("step", "asked")}
    assert not why_not(leave, waiting, "city_leader", 2, confirming=True)
    for role in set(ROLES) - {"city_leader"}:
        found = why_not(leave, waiting, role, 2, confirming=True)
        assert codes(*found) == {("step", "role")}, role


def test_the_system_sets_and_clears_a_warning_and_does_nothing_else() -> None:
    moves = {
        (source, each.to)
        for each in LIFECYCLE.transitions.values()
        for source in each.sources
        if "system" in (*each.who, *each.confirmed_by)
    }
    assert moves == {("cultivating", "watch"), ("watch", "cultivating")}


def test_from_rectification_on_every_step_against_the_enterprise_needs_a_comment() -> None:
    milder = {"extend_rectification", "start_review", "leave", "nominate", "qualify", "resume"}
    for each in LIFECYCLE.transitions.values():
        down = each.to in {"watch", "rectify", "suspended", "removed", "expelled", "lapsed"}
        assert each.adverse == (down or each.transition_id == "not_promoted") or (
            each.transition_id in milder
        )


def test_removal_and_expulsion_are_told_and_heard_before() -> None:
    for each in LIFECYCLE.transitions.values():
        if each.to in ("removed", "expelled"):
            assert {"told", "heard"} <= set(each.guards)


def test_the_last_day_of_a_term_still_belongs_to_it() -> None:
    transition = LIFECYCLE.transitions["order_rectification"]
    situation = next(iter(open_for(transition, "watch")))
    on_time = replace(situation, deadline=TODAY)
    assert codes(*why_not(transition, on_time, "city_officer", 1)) == {("cause_lasts", "early")}
    late = replace(situation, deadline=TODAY - timedelta(days=1))
    assert not why_not(transition, late, "city_officer", 1)


def test_a_reason_carries_its_numbers_and_says_them_in_both_languages() -> None:
    transition = LIFECYCLE.transitions["pass_review"]
    situation = BAD["review_passed"][1][1](plain("review"))
    (found,) = why_not(transition, situation, "city_leader", 1)
    assert found.zh == "本次复核等级为基本合格"
    assert found.en == "this review is graded fair"
    early = why_not(LIFECYCLE.transitions["start_review"], plain("cultivating"), "city_officer", 1)
    assert early[0].numbers == {"on": date(2028, 1, 15)}
    assert "2028-01-15" in early[0].zh


def line_of(text: str, start: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x =", "no TOML"),
        (changed('version = "2026.1"\n', ""), "lacks version"),
        (changed('guards = ["warned"]', 'guards = ["warmed"]'), "warn: there is no guard 'warmed'"),
        (changed('who = ["city_leader"]', 'who = ["mayor"]'), "there is no role 'mayor'"),
        (changed('from = ["watch"]', 'from = ["watched"]'), "there is no state 'watched'"),
        (changed('to = "removed"', 'to = "gone"'), "there is no state 'gone'"),
        (changed('deadline = "rectify.term"', 'deadline = "rectify.time"'), "no policy key"),
        (changed('deadline = "rectify.term"', 'deadline = "site_check.people"'), "is no term"),
        (changed('removed = "reentry.removed"', 'removed = "reentry.gone"'), "no policy key"),
        (changed('removed = "reentry.removed"', 'watch = "reentry.removed"'), "no final state"),
        (changed('documents = ["warning_notice"]', 'documents = ["warning"]'), "no document"),
        (changed('confirmed_by = ["city_leader"]', 'confirmed_by = ["boss"]'), "no role 'boss'"),
        (changed('confirmed_by = ["city_leader"]', 'confirmed_by = ["system"]'),
         "confirms nothing"),
        (changed('confirmed_by = ["city_leader"]\n', ""), "an officer confirms what an enterprise"),
        (changed('who = ["city_officer"]', 'who = ["expert"]'), "expert moves no membership"),
        (changed('id = "warn"', 'id = "clear_warning"'), "stands there twice"),
        (changed('id = "warn"', 'id = "Warn!"'), "must be a lower-case word"),
        (changed('code = "review"', 'code = "watch"'), "stands there twice"),
        (changed('initial = "cultivating"', 'initial = "removed"'), "a state that is not final"),
        (changed('colour = "green"', 'color = "green"'), "has no field color"),
        (changed('to = "watch"\n', ""), "lacks to"),
        (changed("adverse = true", 'adverse = "yes"'), "adverse has the wrong form"),
        (changed('who = ["system"]', "who = []"), "must not be empty"),
        (changed('who = ["system"]', "who = [1]"), "must be a list of names"),
        (changed('zh = "自动预警", en = "Warn"', 'zh = "自动预警"'), "must say zh and en"),
        (
            changed('who = ["city_officer"]', 'who = ["system"]'),
            "order_rectification: the system only sets and clears a warning",
        ),
        (
            changed('guards = ["rectification_failed", "told", "heard"]', 'guards = ["told"]'),
            "fail_rectification: nobody is removed without told and heard",
        ),
        (
            changed('from = ["nominated"]', 'from = ["nominated", "removed"]'),
            "nobody leaves the final state removed",
        ),
        (changed('from = ["cultivating"]\nto = "qualified"', 'from = ["watch"]\nto = "watch"'),
         "no step leads to the state qualified"),
        (changed('from = ["suspended"]\nto = "cultivating"', 'from = ["watch"]\nto = "watch"')
         .replace('from = ["suspended"]', 'from = ["review"]'),
         "no step leads out of the state suspended"),
        (changed("extends = true\n", "").replace('to = "watch"', 'to = "watch"\nextends = true', 1),
         "only a step that stays in its state extends"),
    ],
)  # fmt: skip
def test_a_file_that_breaks_a_rule_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadTable) as refusal:
        read(text)
    assert complaint in str(refusal.value)


def test_a_fault_is_named_with_its_line() -> None:
    text = changed('guards = ["review_due"]', 'guards = ["review_over"]')
    with pytest.raises(BadTable) as refusal:
        read(text)
    line = line_of(text, 'guards = ["review_over"]')
    assert str(refusal.value).startswith(f"lifecycle line {line}: start_review")


def test_another_file_has_another_id() -> None:
    other = read(changed('zh = "自动预警"', 'zh = "系统预警"'))
    assert other.lifecycle_id != LIFECYCLE.lifecycle_id
    assert other.transitions["warn"].name.zh == "系统预警"
