"""Where a membership stands and how it came there, as its page prints it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from api.exports.kinds import kinds as letter_kinds
from api.formats import local_minute
from api.messages import Texts
from api.pages.templates import Word
from api.pool import guards, warnings, workdays
from api.pool.lifecycle import Lifecycle, Name
from api.pool.membership import ENTER
from api.pool.standing import Standing
from api.verdicts import Tone
from store.documents import Document
from store.memberships import Membership, Taken
from store.warnings import KeptWarning, Proposal

_TONES: Mapping[str, Tone] = {
    "green": "good", "teal": "good", "yellow": "warn", "orange": "warn", "red": "bad",
}  # fmt: skip
_SOON_DAYS = 5


@dataclass(frozen=True, slots=True)
class Head:
    """A membership as it is now; a text that does not apply is empty."""

    state: Word
    about: str
    since: str
    entered: str
    deadline: str
    left: Word | None
    estimated: bool
    extensions: int
    reviewed: str
    left_on: str
    reentry: str
    reentry_settled: bool
    version: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of a step, and where it is once it is made."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class PathRow:
    """A step that was taken."""

    when: str
    step: str
    states: str
    who: str
    role: str
    comment: str
    until: str
    letters: tuple[Letter, ...]
    under: str


@dataclass(frozen=True, slots=True)
class Found:
    """A warning or a proposal of the machine, with its numbers in a sentence."""

    rule: str
    said: str
    since: str
    asks: str


@dataclass(frozen=True, slots=True)
class Told:
    """What an enterprise that was told of its removal has to know."""

    when: str
    why: str
    stated: str
    over: bool
    href: str


def head(t: Texts, found: Standing) -> Head:
    """Return where a membership stands on the day of its situation."""
    stay = found.membership
    state = found.machine.states[stay.state]
    due = stay.deadline
    wait = found.machine.reentry.get(stay.state) if stay.left_on else None
    policy = found.situation.policy
    return Head(
        state=Word(said(t, state.name), _TONES.get(state.colour, "plain")),
        about="" if state.about is None else said(t, state.about),
        since=local_minute(stay.since),
        entered=stay.entered_on.isoformat(),
        deadline="" if due is None else due.isoformat(),
        left=None if due is None or state.final else _left(t, due, found.situation.today),
        estimated=stay.deadline_estimated,
        extensions=stay.extensions,
        reviewed="" if stay.reviewed_on is None else stay.reviewed_on.isoformat(),
        left_on="" if stay.left_on is None else stay.left_on.isoformat(),
        reentry=""
        if wait is None or stay.left_on is None or not policy.term(wait).amount
        else workdays.last_day(stay.left_on, policy.term(wait)).on.isoformat(),
        reentry_settled=wait is not None and policy[wait].settled,
        version=version_of(stay),
    )


def version_of(stay: Membership) -> str:
    """Return what a form carries, so that nobody decides on what has changed since."""
    return f"{stay.membership_id}-{stay.version}"


def path(
    t: Texts,
    machine: Lifecycle,
    steps: Sequence[Taken],
    documents: Sequence[Document],
    versions: Mapping[int, int],
) -> tuple[PathRow, ...]:
    """Return the steps of a stay, newest first; versions are those that documents name."""
    made: dict[tuple[int, str], Document] = {}
    for each in documents:
        version = versions.get(each.transition_no or 0)
        if version is not None:
            made.setdefault((version, each.kind), each)
    return tuple(_row(t, machine, each, made) for each in reversed(steps))


def found_by_rules(
    t: Texts,
    machine: Lifecycle,
    warned: Sequence[KeptWarning],
    proposed: Sequence[Proposal],
) -> tuple[Found, ...]:
    """Return the open proposals, then the open warnings."""
    names = {key: said(t, each.name) for key, each in machine.transitions.items()}
    separator = t.pick("、", ", ")
    return (
        *(
            _found(
                t, each,
                t("membership.proposed", steps=separator.join(names.get(s, s) for s in each.steps)),
            )
            for each in proposed
        ),
        *(_found(t, each, t("membership.warning")) for each in warned),
    )  # fmt: skip


def told(t: Texts, found: Standing, notes: Mapping[int, str], href: str) -> Told | None:
    """Return that removal was announced in this state, where it was; notes are by item."""
    notice = found.situation.newest("removal_notice")
    if notice is None or found.membership.left_on is not None:
        return None
    until = guards.heard_until(notice, found.situation.policy)
    stated = found.situation.newest("statement")
    why = notes.get(notice.item_id, "")
    return Told(
        when=t("membership.told_text", on=notice.on, until=until),
        why=t("membership.told_why", why=why) if why else "",
        stated=t("membership.told_stated", on=stated.on)
        if stated and stated.item_id > notice.item_id
        else "",
        over=found.situation.today > until,
        href=href,
    )


def said(t: Texts, name: Name) -> str:
    """Return a name in the reader's language."""
    return t.pick(name.zh, name.en)


def _left(t: Texts, due: date, today: date) -> Word:
    if due < today:
        return Word(
            t("membership.days_over", days=workdays.workdays_between(due, today).days), "bad"
        )
    if due == today:
        return Word(t("membership.last_day"), "warn")
    days = workdays.workdays_between(today, due).days
    return Word(t("membership.days_left", days=days), "warn" if days <= _SOON_DAYS else "plain")


def _row(
    t: Texts, machine: Lifecycle, taken: Taken, made: Mapping[tuple[int, str], Document]
) -> PathRow:
    known = machine.transitions.get(taken.transition_id)
    if taken.transition_id == ENTER:
        step = t("membership.enter")
    else:
        step = taken.transition_id if known is None else said(t, known.name)
    states = [each for each in (taken.from_state, taken.to_state) if each is not None]
    names = [said(t, machine.states[s].name) if s in machine.states else s for s in states]
    letters = [
        _letter(t, machine, kind, made.get((taken.version, kind))) for kind in taken.documents
    ]
    return PathRow(
        when=local_minute(taken.at),
        step=step,
        states=" → ".join(names),
        who=t("role.system") if taken.role == "system" else taken.actor,
        role=t(f"role.{taken.role}") if _is_role(taken.role) else "",
        comment=_comment(t, taken),
        until=t("membership.until", day=taken.deadline) if taken.deadline else "",
        letters=tuple(letters),
        under=t("membership.policy_id", policy=taken.policy_id, machine=taken.lifecycle_id),
    )


def _comment(t: Texts, taken: Taken) -> str:
    """Return why a step was taken; the machine says it in the reader's language."""
    if taken.role != "system" or t.language == "zh" or "warnings" not in taken.situation:
        return taken.comment
    return warnings.causes(taken.situation["warnings"], t.language)


def _is_role(role: str) -> bool:
    # An operator enters factories from the command line and is no role of the pool.
    return role not in ("system", "operator")


def _letter(t: Texts, machine: Lifecycle, kind: str, document: Document | None) -> Letter:
    name = said(t, machine.documents[kind]) if kind in machine.documents else kind
    if document is not None and document.made_at is not None:
        base = f"/api/v1/factories/{quote(document.factory, safe='')}/documents"
        return Letter(name, f"{base}/{document.document_id}/file?form=pdf")
    by_system = kind in letter_kinds() and letter_kinds()[kind].about == "step"
    return Letter(t("membership.letter_pending", name=name) if by_system else name, "")


def _found(t: Texts, each: KeptWarning | Proposal, asks: str) -> Found:
    rule = warnings.rules().get(each.rule)
    return Found(
        rule=each.rule if rule is None else t.pick(rule.zh, rule.en),
        said=warnings.retold(each.rule, each.numbers, t.language),
        since=each.since.isoformat(),
        asks=asks,
    )
