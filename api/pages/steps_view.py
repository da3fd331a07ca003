"""What can be done with a membership now, what cannot and why not, as its page prints it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.identity import Caller
from api.messages import Texts
from api.pages import policy_words
from api.pages.membership_view import said
from api.pool import evidence, lifecycle
from api.pool.guards import GUARDS
from api.pool.lifecycle import Lifecycle, Step, Transition
from api.pool.policy import Held
from api.pool.reason_words import told
from api.pool.reasons import texts
from api.pool.roles import ROLES
from api.pool.standing import Standing
from api.pool.terms import deadline_after


@dataclass(frozen=True, slots=True)
class Record:
    """A kind of evidence that a condition looks at; href is empty where others record it."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must hold before a step, and whether it does."""

    text: str
    holds: bool
    why: str
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    """A step from the present state; reasons are those that lie in who asks."""

    step: str
    name: str
    leads: str
    due: str
    letters: str
    second: str
    basis: str
    adverse: bool
    asks: bool
    allowed: bool
    reasons: tuple[str, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the policy; settled is empty where the bureau has not set it."""

    key: str
    name: str
    value: str
    settled: str
    source: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that was asked for; why_not is empty for whoever may confirm it now."""

    title: str
    who: str
    said: str
    number: int
    mine: bool
    decides: bool
    why_not: str


def steps(t: Texts, found: Standing, role: str, href: str) -> tuple[StepView, ...]:
    """Return every step from the present state: the open ones, the role's own, those of others."""
    ordered = sorted(
        found.steps, key=lambda each: (not each.allowed, role not in each.transition.who)
    )
    return tuple(_step(t, found, each, role, href) for each in ordered)


def waiting(t: Texts, found: Standing, caller: Caller, at: str) -> Waiting | None:
    """Return the request that waits, and whether the caller confirms it."""
    asked = found.request
    if asked is None:
        return None
    transition = found.machine.transitions[asked.transition_id]
    why = lifecycle.why_not(
        transition, found.situation, caller.role, caller.actor.account_id, confirming=True
    )
    mine = asked.account_id == caller.actor.account_id
    return Waiting(
        title=t(
            "membership.request_by",
            who=asked.actor, role=t(f"role.{asked.role}"), at=at, step=said(t, transition.name),
        ),
        who=t("membership.request_who", roles=roles_said(t, transition.confirmed_by)),
        said=t("membership.request_said", said=asked.comment) if asked.comment else "",
        number=asked.request_id,
        mine=mine,
        decides=not mine and caller.role in transition.confirmed_by,
        why_not=t.pick("；", "; ").join(told(each, t.language) for each in why),
    )  # fmt: skip


def values(t: Texts, found: Standing, shown: Iterable[Transition]) -> tuple[Value, ...]:
    """Return the values of the policy by which terms and conditions of steps are reckoned."""
    keys: dict[str, None] = {}
    for each in shown:
        if each.deadline is not None:
            keys[each.deadline] = None
        for guard in each.guards:
            keys |= dict.fromkeys(texts()[guard].get("policy", ()))
    return tuple(_value(t, found.situation.policy[key]) for key in keys)


def roles_said(t: Texts, roles: Sequence[str]) -> str:
    """Return roles in the reader's language."""
    return t.pick("、", ", ").join(t.pick(*ROLES[each]) for each in roles)


def leads_to(t: Texts, found: Standing, transition: Transition) -> str:
    """Return where a step leads, in words."""
    if transition.to == found.membership.state:
        return t("membership.stays")
    return t("membership.leads", state=said(t, found.machine.states[transition.to].name))


def due_said(t: Texts, found: Standing, transition: Transition) -> str:
    """Return the term that begins with a step taken today; empty where none does."""
    due = deadline_after(found.membership, found.situation, transition)
    if due is None:
        return ""
    mark = t.pick("（推算）", " (estimated)") if due.estimated else ""
    return t("membership.due", day=f"{due.on}{mark}")


def letters_said(t: Texts, machine: Lifecycle, transition: Transition) -> str:
    """Return the letters that a step makes; empty for none."""
    if not transition.documents:
        return ""
    names = [said(t, machine.documents[each]) for each in transition.documents]
    return t("membership.letters", names=t.pick("、", ", ").join(names))


def _step(t: Texts, found: Standing, step: Step, role: str, href: str) -> StepView:
    transition = step.transition
    personal = [each for each in step.reasons if each.guard == "step"]
    return StepView(
        step=transition.transition_id,
        name=said(t, transition.name),
        leads=leads_to(t, found, transition),
        due=due_said(t, found, transition),
        letters=letters_said(t, found.machine, transition),
        second=t("membership.second", roles=roles_said(t, transition.confirmed_by))
        if transition.confirmed_by
        else "",
        basis=transition.source,
        adverse=transition.adverse,
        asks=bool(transition.confirmed_by),
        allowed=step.allowed,
        reasons=tuple(told(each, t.language) for each in personal),
        conditions=tuple(_condition(t, found, each, role, href) for each in transition.guards),
    )


def _condition(t: Texts, found: Standing, guard: str, role: str, href: str) -> Condition:
    why, words = GUARDS[guard](found.situation), texts()[guard]
    kinds = words.get("evidence", ()) if why is not None else ()
    return Condition(
        text=t.pick(words["zh"], words["en"]),
        holds=why is None,
        why="" if why is None else told(why, t.language),
        records=tuple(_record(t, kind, role, href) for kind in kinds),
    )


def _record(t: Texts, kind: str, role: str, href: str) -> Record:
    known = evidence.kinds()[kind]
    name = t.pick(known.zh, known.en)
    if role in known.who:
        return Record(t("membership.record_go", kind=name), f"{href}?record={kind}#record")
    return Record(t("membership.record_by", kind=name, roles=roles_said(t, known.who)), "")


def _value(t: Texts, held: Held) -> Value:
    return Value(
        key=held.key.name,
        name=t.pick(held.key.zh, held.key.en),
        value=policy_words.value_text(t, held.key, held.value),
        settled=t("membership.settled", day=held.valid_from) if held.settled else "",
        source=policy_words.source(t, held),
    )
