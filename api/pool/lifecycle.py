"""The state machine of membership as data: reading it, checking it, and what is possible now.

lifecycle.toml is what is shipped; a bureau may put its own file in its place as a policy value.
Rules that no file may break: the machine sets and clears a warning and does nothing else; nobody
is removed unheard; every state that is not final has a way out and can be reached.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from api.pool.guards import GUARDS
from api.pool.lifecycle_file import read_file
from api.pool.policy import Policy
from api.pool.reasons import Reason, reason
from api.pool.roles import ROLES
from api.pool.situation import Situation

FILE_KEY = "lifecycle.file"
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Name:
    """How something is called in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class State:
    """A state of membership; nobody leaves a final one, a removal is told and heard before."""

    code: str
    name: Name
    # What it means; a bureau's file may leave it out.
    about: Name | None
    colour: str
    final: bool
    removal: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """A step from one of several states to another; see the head of lifecycle.toml."""

    transition_id: str
    sources: tuple[str, ...]
    to: str
    name: Name
    who: tuple[str, ...]
    guards: tuple[str, ...]
    deadline: str | None
    extends: bool
    documents: tuple[str, ...]
    adverse: bool
    confirmed_by: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """One version of the whole machine; the id follows its text."""

    lifecycle_id: str
    initial: str
    warning: str
    states: Mapping[str, State]
    transitions: Mapping[str, Transition]
    # Policy keys of the waits before re-entry, by final state.
    reentry: Mapping[str, str]
    documents: Mapping[str, Name]

    def leaving(self, state: str) -> tuple[Transition, ...]:
        """Return the transitions out of a state, in the order of the file."""
        return tuple(each for each in self.transitions.values() if state in each.sources)


@dataclass(frozen=True, slots=True)
class Step:
    """A transition from the present state, and why it is not open where it is not."""

    transition: Transition
    reasons: tuple[Reason, ...]

    @property
    def allowed(self) -> bool:
        """Tell whether the step is open."""
        return not self.reasons


@cache
def shipped() -> Lifecycle:
    """Return the machine that came with this version."""
    return read(files("api.pool").joinpath("lifecycle.toml").read_text(encoding="utf-8"))


def held(policy: Policy) -> Lifecycle:
    """Return the machine of a policy: the bureau's file, or the shipped one."""
    text = policy.text(FILE_KEY)
    return _kept(text) if text.strip() else shipped()


@cache
def _kept(text: str) -> Lifecycle:
    return read(text)


def read(text: str) -> Lifecycle:
    """Read a lifecycle file; raises BadTable with the line and what is wrong on it."""
    found = read_file(text)
    states = {
        each["code"]: State(
            each["code"],
            Name(**each["name"]),
            Name(**each["about"]) if "about" in each else None,
            each["colour"],
            each.get("final", False),
            each.get("removal", False),
        )
        for each in found["state"]
    }
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Lifecycle(
        lifecycle_id=f"{found['version']}-{digest}",
        initial=found["initial"],
        warning=found["warning"],
        states=states,
        transitions={
            each["id"]: Transition(
                transition_id=each["id"],
                sources=tuple(each["from"]),
                to=each["to"],
                name=Name(**each["name"]),
                who=tuple(each["who"]),
                guards=tuple(each["guards"]),
                deadline=each.get("deadline"),
                extends=each.get("extends", False),
                documents=tuple(each.get("documents", ())),
                adverse=each.get("adverse", False),
                confirmed_by=tuple(each.get("confirmed_by", ())),
                source=each["source"],
            )
            for each in found["transition"]
        },
        reentry=dict(found["reentry"]),
        documents={code: Name(**each) for code, each in found["document"].items()},
    )


def possible(
    lifecycle: Lifecycle, situation: Situation, role: str, account_id: int | None
) -> tuple[Step, ...]:
    """Return every step from the present state, with why it is not open where it is not."""
    return tuple(
        Step(each, why_not(each, situation, role, account_id))
        for each in lifecycle.leaving(situation.state)
    )


def why_not(
    transition: Transition,
    situation: Situation,
    role: str,
    account_id: int | None,
    *,
    confirming: bool = False,
) -> tuple[Reason, ...]:
    """Return why a step is not open to an account in a role; nothing where it is.

    confirming asks for the second person of a step that was asked for.
    """
    found = []
    roles = transition.confirmed_by if confirming else transition.who
    if role not in roles:
        names = [ROLES[each] for each in roles]
        found.append(
            reason(
                "step",
                "role",
                roles_zh="、".join(zh for zh, _ in names),
                roles_en=" or ".join(en for _, en in names),
            )
        )
    if transition.confirmed_by and situation.request_open and not confirming:
        found.append(reason("step", "asked"))
    unmet = [why for name in transition.guards if (why := GUARDS[name](situation))]
    return (*found, *(unmet or _own(transition, situation, account_id)))


def _own(
    transition: Transition, situation: Situation, account_id: int | None
) -> tuple[Reason, ...]:
    """Return a reason where the guards hold only by what the account made itself."""
    if account_id is None:
        return ()
    others = situation.without(account_id)
    if not any(GUARDS[name](others) for name in transition.guards):
        return ()
    mine = [f"{item.kind} {item.on}" for item in situation.items if account_id in item.authors]
    return (reason("step", "own", items=", ".join(mine)),)
