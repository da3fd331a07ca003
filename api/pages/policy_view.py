"""What the pages of the policy show, as their templates print it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from api.formats import local_minute
from api.messages import Texts
from api.pages import policy_words
from api.pages.templates import Word
from api.pool.policy import Held, Key, Policy
from api.pool.proposing import is_own
from api.verdicts import Tone
from store.acting import Actor
from store.proposals import Proposal

_TONES: dict[str | None, Tone] = {"confirmed": "good", "declined": "bad", None: "warn"}


@dataclass(frozen=True, slots=True)
class Row:
    """A key with the value that holds today, and what waits for a decision."""

    code: str
    name: str
    value: str
    since: str
    state: Word
    default: str
    kind: str
    source: str
    range: str
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The keys of one matter."""

    code: str
    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A proposal: what, from when, by whom, and what became of it."""

    number: int
    value: str
    whole: str
    valid_from: str
    source: str
    who: str
    at: str
    outcome: Word
    decided: str
    answer: str
    waits: bool
    own: bool


def parts(t: Texts, held: Policy, waiting: Sequence[Proposal]) -> list[Part]:
    """Return every key, by matter."""
    found = [row(t, each, waiting) for each in held]
    grouped = groupby(found, key=lambda each: each.code.partition(".")[0])
    return [Part(code, policy_words.part(t, code), tuple(rows)) for code, rows in grouped]


def row(t: Texts, held: Held, waiting: Sequence[Proposal]) -> Row:
    """Return one key with the value that holds."""
    key = held.key
    mine = [each for each in waiting if each.subject == key.name]
    state = Word(t("policy.settled"), "good") if held.settled else _unsettled(t)
    return Row(
        code=key.name,
        name=t.pick(key.zh, key.en),
        value=policy_words.value_text(t, key, held.value),
        since=t("policy.since", day=held.valid_from) if held.valid_from else "",
        state=state,
        default=policy_words.value_text(t, key, key.default),
        kind="" if held.settled or key.kind == "proposal" else t(f"policy.kind_{key.kind}"),
        source=policy_words.source(t, held),
        range=policy_words.range_text(t, key),
        waiting=tuple(_waits(t, key, mine)),
    )


def of_key(t: Texts, key: Key, found: Proposal, reader: Actor) -> Told:
    """Return a proposal for a key in words."""
    whole = str(found.value) if key.unit == "lifecycle" else ""
    return told(t, found, reader, policy_words.value_text(t, key, found.value), whole)


def told(t: Texts, found: Proposal, reader: Actor, value: str, whole: str = "") -> Told:
    """Return a proposal in words, whose value says what it is about."""
    decided = ""
    if found.decided_at is not None:
        decided = f"{found.decided_by} {local_minute(found.decided_at)}"
    outcome = Word(t(f"policy.{found.outcome or 'still'}"), _TONES.get(found.outcome, "plain"))
    return Told(
        number=found.number,
        value=value,
        whole=whole,
        valid_from=found.valid_from.isoformat(),
        source=found.source,
        who=found.actor,
        at=local_minute(found.proposed_at),
        outcome=outcome,
        decided=decided,
        answer=found.answer or "",
        waits=found.outcome is None,
        own=is_own(found, reader),
    )


def _unsettled(t: Texts) -> Word:
    return Word(t("policy.unsettled"), "warn")


def _waits(t: Texts, key: Key, waiting: Sequence[Proposal]) -> Iterator[str]:
    for each in waiting:
        value = policy_words.value_text(t, key, each.value)
        yield t("policy.waits", value=value, day=each.valid_from)
