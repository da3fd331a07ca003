"""Asking for documents, by people and by the steps that make them, and checking files."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import api.comparison
import store.registry
from api.errors import NotFound
from api.exports.facts import stay_subject
from api.exports.kinds import DocumentKind, kinds
from api.pool import lifecycle, standing
from api.pool.errors import Declined, NotAllowed, NotPossible
from api.pool.lifecycle import Name
from api.pool.refused import refused
from store import Connection, documents, events, transaction
from store.acting import Actor
from store.audit import note
from store.documents import Document, NewDocument
from store.registry import Factory

LONGEST_NUMBER = 60
_MOST_EVENTS = 500
_MOST_KNOWN = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """What the register knows of a file; nothing where it was changed or is of elsewhere."""

    sha256: str
    documents: tuple[Document, ...]


def ask(
    conn: Connection,
    actor: Actor,
    factory: Factory,
    kind: str,
    *,
    now: datetime,
    period_start: date | None = None,
    number: str = "",
) -> Document:
    """Ask for a document and return it as it waits.

    Raises NotFound for a kind or year that there is not, NotAllowed for a role that may not,
    NotPossible where nothing made it due or the same is being made, Declined for a bad number.
    """
    known = kinds().get(kind)
    if known is None:
        raise NotFound(f"there is no document {kind}")
    name = Name(known.zh, known.en)
    if actor.role not in known.who:
        raise refused("letter_role", NotAllowed, letter=name)
    if len(number) > LONGEST_NUMBER or not number.isprintable():
        raise refused("letter_number", Declined, most=LONGEST_NUMBER)
    if period_start is not None and known.about != "year":
        raise refused("letter_period", Declined, letter=name)
    with transaction(conn):
        new = _about(conn, factory, known, period_start, number.strip())
        asked = documents.ask(conn, actor, new, now)
        if asked is None:
            raise refused("letter_made", NotPossible, letter=name)
        note(
            conn, actor, "document_asked", kind="document", key=asked,
            factory_id=factory.factory_id, after={"kind": kind, "subject": new.subject},
        )  # fmt: skip
        found = documents.get(conn, asked)
    assert found is not None
    return found


def _about(
    conn: Connection, factory: Factory, kind: DocumentKind, start: date | None, number: str
) -> NewDocument:
    if kind.about == "year":
        year = api.comparison.load(conn, factory, start).year
        if year is None:
            raise NotFound(f"{factory.code} has no rolling year yet; a report needs one")
        subject = f"year {year.period_start}"
        return NewDocument(
            factory.factory_id, kind.kind, subject, period_start=year.period_start, number=number
        )
    stay, name = standing.newest(conn, factory.factory_id), Name(kind.zh, kind.en)
    if kind.about == "stay":
        if stay.state not in kind.states:
            # A bureau's own lifecycle may have states beside those that are shipped.
            known = lifecycle.shipped().states.get(stay.state)
            state = stay.state if known is None else known.name
            raise refused("letter_state", NotPossible, letter=name, state=state)
        return NewDocument(
            factory.factory_id, kind.kind, stay_subject(stay),
            membership_id=stay.membership_id, number=number,
        )  # fmt: skip
    step = documents.step_with(conn, stay.membership_id, kind.kind)
    if step is None:
        raise refused("letter_none", NotPossible, letter=name)
    return _of_step(factory.factory_id, kind.kind, step, stay.membership_id, number)


def _of_step(
    factory_id: int, kind: str, step: int, membership_id: int, number: str = ""
) -> NewDocument:
    return NewDocument(
        factory_id, kind, f"step {step}",
        transition_no=step, membership_id=membership_id, number=number,
    )  # fmt: skip


def ask_for_steps(conn: Connection, now: datetime) -> int:
    """Ask for the documents of all steps since the last time; return how many. For the jobs."""
    asked = 0
    with transaction(conn):
        cursor = documents.take_cursor(conn)
        happened = events.since(conn, cursor, most=_MOST_EVENTS)
        for event in happened:
            if event.kind == "moved":
                asked += _ask_for_step(conn, event, now)
            elif event.kind == "evidence_recorded":
                asked += _ask_for_evidence(conn, event, now)
        if happened:
            documents.move_cursor(conn, happened[-1].cursor)
    return asked


def _ask_for_step(conn: Connection, event: events.Event, now: datetime) -> int:
    said = event.payload
    due = [
        kind
        for kind in said.get("documents", ())
        if kind in kinds() and kinds()[kind].about == "step"
    ]
    if not due:
        return 0
    found = documents.step_of_event(
        conn, event.factory, said["version"], said["transition"], event.at
    )
    if found is None:
        return 0
    step, membership_id = found
    stay = documents.membership(conn, membership_id)
    assert stay is not None
    actor = Actor(event.account_id, event.actor, event.role)
    new = [_of_step(stay.factory_id, kind, step, membership_id) for kind in due]
    return sum(documents.ask(conn, actor, each, now) is not None for each in new)


def _ask_for_evidence(conn: Connection, event: events.Event, now: datetime) -> int:
    """Ask for the letter that was handed over, unless the same was made or asked for before."""
    found = [each for each in kinds().values() if each.evidence == event.payload["kind"]]
    asked = 0
    for kind in found:
        factory = store.registry.factory_by_code(conn, event.factory)
        stay = standing.newest(conn, factory.factory_id)
        known = documents.listed(conn, factory.factory_id, most=_MOST_KNOWN)
        is_known = any(
            (each.kind, each.subject) == (kind.kind, stay_subject(stay)) and each.state != "failed"
            for each in known
        )
        if stay.state in kind.states and not is_known:
            new = NewDocument(
                factory.factory_id, kind.kind, stay_subject(stay), membership_id=stay.membership_id
            )
            actor = Actor(event.account_id, event.actor, event.role)
            asked += documents.ask(conn, actor, new, now) is not None
    return asked


def event_of(document: Document) -> dict[str, Any]:
    """Return what events tell of a document, and to which roles it falls when it fails."""
    kind = kinds()[document.kind]
    return {
        "document_id": document.document_id,
        "kind": document.kind,
        "subject": document.subject,
        "said": {"zh": kind.zh, "en": kind.en},
        "falls_to": [document.role] if document.role in kind.who else list(kind.who),
    }


def check(conn: Connection, content: bytes) -> Checked:
    """Say which documents of the register a file is, byte by byte."""
    sha256 = hashlib.sha256(content).hexdigest()
    return Checked(sha256, tuple(documents.with_file(conn, sha256)))
