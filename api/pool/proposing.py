"""The one way by which a bureau changes its rules: one person proposes, another confirms.

What is confirmed holds from a day on, by a document that says so. Who proposed may take it back
while it waits; nobody decides on their own; each act is on record. Values of the policy
(settings.py) and texts of letters (api/exports/texts.py) go this way.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

from api.errors import NotFound
from api.pool import workdays
from api.pool.errors import Decided, NotAllowed, Unfit
from api.pool.refused import refused
from store import Connection, proposals, transaction
from store.acting import Actor
from store.audit import note
from store.proposals import Book, New, Proposal

Outcome = Literal["confirmed", "declined", "withdrawn"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True)
class Ledger:
    """One sort of proposals: its book, and how entries of the audit call act, thing and value."""

    book: Book
    action: str
    kind: str
    field: str


VALUES = Ledger(proposals.VALUES, "policy", "policy", "value")
TEXTS = Ledger(proposals.TEXTS, "template", "letter_template", "content")


def propose(
    conn: Connection, actor: Actor, ledger: Ledger, new: New, *, present: Any, now: datetime
) -> int:
    """Keep a value that fits as a proposal, beside what it would replace; return its number.

    Raises Unfit without a document that says so, or for a day that is over.
    """
    if not new.source.strip():
        raise Unfit("source", "source")
    _check_day(new.valid_from, now)
    given = New(new.subject, new.value, new.valid_from, new.source.strip())
    with transaction(conn):
        number = proposals.propose(conn, ledger.book, actor, given, now)
        note(
            conn, actor, f"{ledger.action}_proposed", kind=ledger.kind, key=given.subject,
            before={ledger.field: present},
            after={"number": number, ledger.field: given.value,
                   "valid_from": given.valid_from.isoformat(), "source": given.source},
        )  # fmt: skip
    return number


def decide(
    conn: Connection,
    actor: Actor,
    ledger: Ledger,
    number: int,
    outcome: Outcome,
    *,
    answer: str = "",
    now: datetime,
) -> Proposal:
    """Confirm or decline what somebody else proposed, or withdraw one's own; declining says why.

    Returns it as it now stands. Raises NotFound; NotAllowed for one's own, or for withdrawing
    another's; Decided for what was decided, Unfit for what would begin in the past.
    """
    with transaction(conn):
        found = of(conn, ledger, number)
        check_may_decide(found, actor, outcome)
        if outcome == "confirmed":
            _check_day(found.valid_from, now)
        if outcome == "declined" and not answer.strip():
            raise Unfit("answer", "answer")
        if not proposals.decide(conn, ledger.book, actor, number, outcome, answer.strip(), now):
            became = of(conn, ledger, number).outcome or "confirmed"
            raise Decided("proposal", f"was_{became}", number=number)
        note(
            conn, actor, f"{ledger.action}_{outcome}", kind=ledger.kind, key=found.subject,
            after={"number": number, ledger.field: found.value,
                   "valid_from": found.valid_from.isoformat(), "proposed_by": found.actor},
            reason=answer.strip() or None,
        )  # fmt: skip
        return of(conn, ledger, number)


def of(conn: Connection, ledger: Ledger, number: int) -> Proposal:
    """Return a proposal with what became of it; raises NotFound."""
    found = proposals.get(conn, ledger.book, number)
    if found is None:
        raise NotFound(f"there is no proposal {number}")
    return found


def check_may_decide(found: Proposal, actor: Actor, outcome: Outcome) -> None:
    """Raise NotAllowed for deciding on one's own, and for withdrawing what is another's."""
    if is_own(found, actor) != (outcome == "withdrawn"):
        raise refused("others_proposal" if outcome == "withdrawn" else "own_proposal", NotAllowed)


def is_own(found: Proposal, actor: Actor) -> bool:
    """Tell whether an actor proposed it; without accounts two names are two people."""
    if actor.account_id is None:
        return found.account_id is None and found.actor == actor.name
    return found.account_id == actor.account_id


def _check_day(valid_from: date, now: datetime) -> None:
    today = workdays.today(now)
    if valid_from < today:
        raise Unfit("valid_from", "day_over", today=today, day=valid_from)
