"""The texts of letters in force: ours, or a bureau's own that a second person confirmed."""

from dataclasses import replace
from datetime import date, datetime

from api.errors import NotFound
from api.exports import letter
from api.exports.kinds import kinds
from api.exports.letter import Letter
from api.pool import workdays
from api.pool.errors import Declined, NotAllowed
from store import Connection, documents, transaction
from store.acting import Actor
from store.audit import note
from store.documents import Template

LONGEST_TEXT = 65536


def in_force(conn: Connection, kind: str, day: date) -> Letter:
    """Return the text of a kind on a day."""
    own = documents.template_in_force(conn, kind, day)
    if own is None:
        return letter.shipped(kind)
    number, content = own
    found = letter.read(content)
    return replace(found, template_id=f"{found.template_id}-{number}")


def propose(
    conn: Connection,
    actor: Actor,
    kind: str,
    content: str,
    *,
    valid_from: date,
    source: str,
    now: datetime,
) -> int:
    """Propose a text for a kind from a day on, by the document that says so; return its number.

    Raises NotFound for a kind that there is not, BadTable for a text that cannot be used, Declined.
    """
    if kind not in kinds():
        raise NotFound(f"there is no document {kind}")
    if len(content) > LONGEST_TEXT:
        raise Declined(f"a text has {LONGEST_TEXT} characters at most")
    letter.read(content)
    if not source.strip():
        raise Declined("name the document that sets this text")
    _check_day(valid_from, now)
    with transaction(conn):
        number = documents.propose_template(
            conn, actor, kind, content, valid_from=valid_from, source=source.strip(), at=now
        )
        note(
            conn, actor, "template_proposed", kind="letter_template", key=number,
            before={"content": (_present(conn, kind, valid_from))},
            after={"kind": kind, "content": content, "valid_from": valid_from.isoformat(),
                   "source": source.strip()},
        )  # fmt: skip
    return number


def _present(conn: Connection, kind: str, day: date) -> str:
    return in_force(conn, kind, day).template_id


def decide(
    conn: Connection, actor: Actor, template_no: int, *, confirmed: bool, answer: str, now: datetime
) -> Template:
    """Confirm or decline a text that somebody else proposed; declining needs an answer.

    Raises NotFound, NotAllowed for one's own, Declined for what was decided or lies in the past.
    """
    with transaction(conn):
        found = next(iter(documents.templates(conn, template_no=template_no)), None)
        if found is None:
            raise NotFound(f"there is no text {template_no}")
        if _is_own(found, actor):
            raise NotAllowed("somebody else decides on what you proposed")
        if confirmed:
            _check_day(found.valid_from, now)
        elif not answer.strip():
            raise Declined("say why it is declined")
        outcome = "confirmed" if confirmed else "declined"
        if not documents.decide_template(conn, actor, template_no, outcome, answer.strip(), now):
            raise Declined(f"the text {template_no} was {found.outcome} already")
        note(
            conn, actor, f"template_{outcome}", kind="letter_template", key=template_no,
            after={"kind": found.kind, "valid_from": found.valid_from.isoformat(),
                   "proposed_by": found.actor},
            reason=answer.strip() or None,
        )  # fmt: skip
    return found


def _is_own(found: Template, actor: Actor) -> bool:
    if actor.account_id is None:
        return found.account_id is None and found.actor == actor.name
    return found.account_id == actor.account_id


def _check_day(valid_from: date, now: datetime) -> None:
    today = workdays.today(now)
    if valid_from < today:
        raise Declined(f"a text holds from today ({today}) on at the earliest")
