"""The texts of letters in force: ours, or a bureau's own that a second person confirmed."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from api.errors import NotFound
from api.exports import letter
from api.exports.kinds import kinds
from api.exports.letter import Letter
from api.pool import proposing
from api.pool.errors import Unfit
from api.pool.proposing import TEXTS
from store import Connection, documents
from store.acting import Actor
from store.proposals import New

LONGEST_TEXT = 65536


@dataclass(frozen=True, slots=True)
class InForce:
    """The text of a kind on a day; number and since are those of a bureau's own, else None."""

    letter: Letter
    content: str
    number: int | None
    since: date | None
    source: str | None


def in_force(conn: Connection, kind: str, day: date) -> Letter:
    """Return the text of a kind on a day."""
    return held(conn, kind, day).letter


def held(conn: Connection, kind: str, day: date) -> InForce:
    """Return the text of a kind on a day, and whose it is."""
    own = documents.template_in_force(conn, kind, day)
    if own is None:
        return InForce(letter.shipped(kind), letter.shipped_text(kind), None, None, None)
    return InForce(
        numbered(own.number, own.content), own.content, own.number, own.valid_from, own.source
    )


def numbered(number: int, content: str) -> Letter:
    """Return a bureau's own text; what is made with it names its number."""
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

    Raises NotFound for a kind that there is not, BadText for a text that cannot be used, Unfit.
    """
    if kind not in kinds():
        raise NotFound(f"there is no document {kind}")
    if len(content) > LONGEST_TEXT:
        raise Unfit("content", "long", most=LONGEST_TEXT)
    letter.read(content)
    present = in_force(conn, kind, valid_from).template_id
    new = New(kind, content, valid_from, source)
    return proposing.propose(conn, actor, TEXTS, new, present=present, now=now)
