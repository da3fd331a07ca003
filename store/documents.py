"""Letters and reports: what was asked for, how far it is, what came of it, and who wrote the texts.

The queue is worked off by who owns the database; people only ask and read within their scope.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from store.acting import Actor, signature
from store.db import Connection, transaction
from store.memberships import Membership, Taken
from store.queries import query


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document that is asked for: about a step, a stay in the pool or a rolling year."""

    factory_id: int
    kind: str
    # Two of the same kind and subject are never made at once.
    subject: str
    transition_no: int | None = None
    membership_id: int | None = None
    period_start: date | None = None
    # What the office numbers it by.
    number: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the register; progress in percent, hashes in hex."""

    document_id: int
    factory_id: int
    factory: str
    kind: str
    subject: str
    transition_no: int | None
    membership_id: int | None
    period_start: date | None
    number: str
    state: str
    progress: int
    attempts: int
    error: str | None
    account_id: int | None
    actor: str
    role: str
    asked_at: datetime
    version: int | None
    template_id: str | None
    content_sha256: str | None
    docx_sha256: str | None
    pdf_sha256: str | None
    made_at: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a document."""

    version: int
    template_id: str
    content_sha256: str
    docx_sha256: str
    pdf_sha256: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Template:
    """A letter's text that a bureau set, from which day on, and by which document."""

    number: int
    content: str
    valid_from: date
    source: str


def ask(conn: Connection, actor: Actor, new: NewDocument, at: datetime) -> int | None:
    """Ask for a document and return its number; None where the same is being made."""
    values = asdict(new) | signature(actor) | {"at": at}
    with transaction(conn):
        row = conn.execute(query("ask_document"), values).fetchone()
    return None if row is None else int(row[0])


def get(conn: Connection, document_id: int) -> Document | None:
    """Return a document."""
    return next(iter(_listed(conn, document_id=document_id)), None)


def waiting(conn: Connection, factory_id: int, kind: str, subject: str) -> Document | None:
    """Return the document of a kind and subject that is asked for or being made."""
    found = _listed(conn, factory_id=factory_id, waiting=kind, subject=subject)
    return next(iter(found), None)


def listed(
    conn: Connection, factory_id: int, *, before: int | None = None, most: int = 100
) -> list[Document]:
    """Return documents of a factory, newest first, behind a number."""
    return _listed(conn, factory_id=factory_id, before=before, most=most)


def with_file(conn: Connection, sha256: str) -> list[Document]:
    """Return the documents of the register that a file with this hash belongs to."""
    return _listed(conn, sha256=sha256)


def _listed(
    conn: Connection,
    *,
    factory_id: int | None = None,
    document_id: int | None = None,
    waiting: str | None = None,
    subject: str | None = None,
    sha256: str | None = None,
    before: int | None = None,
    most: int = 100,
) -> list[Document]:
    values = {
        "factory_id": factory_id,
        "document_id": document_id,
        "waiting": waiting,
        "subject": subject,
        "sha256": sha256,
        "before": before,
        "most": most,
    }
    with transaction(conn):
        return [Document(*row) for row in conn.execute(query("list_documents"), values)]


def take(conn: Connection, lost_after: timedelta) -> tuple[int, int] | None:
    """Take the next document and return it with the number of this attempt; None if none waits.

    One that was taken longer ago than lost_after has lost its maker, and is taken again.
    """
    with transaction(conn):
        row = conn.execute(query("take_document"), {"lost_after": lost_after}).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def progress(conn: Connection, document_id: int, percent: int) -> None:
    """Say how far a document is."""
    with transaction(conn):
        values = {"document_id": document_id, "progress": percent}
        conn.execute(query("progress_document"), values)


def next_version(conn: Connection, document_id: int) -> int:
    """Return which of its kind and subject a document will be."""
    with transaction(conn):
        row = conn.execute(query("next_document_version"), {"document_id": document_id}).fetchone()
    assert row is not None
    return int(row[0])


def finish(conn: Connection, document_id: int, attempt: int, made: Made) -> bool:
    """Keep what came of an attempt; False where another attempt has begun."""
    values = asdict(made) | {"document_id": document_id, "attempts": attempt}
    with transaction(conn):
        return conn.execute(query("finish_document"), values).fetchone() is not None


def fail(
    conn: Connection, document_id: int, attempt: int, error: str, wait: timedelta | None
) -> bool:
    """Say why an attempt failed; without a wait it is given up. False where another has begun."""
    values = {"document_id": document_id, "attempts": attempt, "error": error, "wait": wait}
    with transaction(conn):
        return conn.execute(query("fail_document"), values).fetchone() is not None


def take_cursor(conn: Connection) -> int:
    """Hold and return the event up to which documents of steps were asked for."""
    row = conn.execute(query("take_document_cursor")).fetchone()
    assert row is not None
    return int(row[0])


def move_cursor(conn: Connection, cursor: int) -> None:
    """Set the event up to which documents of steps were asked for."""
    with transaction(conn):
        conn.execute(query("move_document_cursor"), {"cursor": cursor})


def step_of_event(
    conn: Connection, factory: str, version: int, transition_id: str, at: datetime
) -> tuple[int, int] | None:
    """Return the step that an event tells of, and its stay in the pool."""
    values = {"factory": factory, "version": version, "transition_id": transition_id, "at": at}
    with transaction(conn):
        row = conn.execute(query("step_of_event"), values).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def step_with(conn: Connection, membership_id: int, kind: str) -> int | None:
    """Return the newest step of a stay that makes a document of a kind."""
    with transaction(conn):
        values = {"membership_id": membership_id, "kind": kind}
        row = conn.execute(query("step_with_document"), values).fetchone()
    return None if row is None else int(row[0])


def step(conn: Connection, transition_no: int) -> Taken | None:
    """Return a step with all that it was decided under."""
    with transaction(conn):
        row = conn.execute(query("read_step"), {"transition_no": transition_no}).fetchone()
    return None if row is None else Taken(*row)


def membership(conn: Connection, membership_id: int) -> Membership | None:
    """Return a stay in the pool."""
    with transaction(conn):
        row = conn.execute(query("read_membership"), {"membership_id": membership_id}).fetchone()
    return None if row is None else Membership(*row)


def template_in_force(conn: Connection, kind: str, day: date) -> Template | None:
    """Return the text of a letter that the bureau confirmed for a day."""
    with transaction(conn):
        row = conn.execute(query("template_in_force"), {"kind": kind, "day": day}).fetchone()
    return None if row is None else Template(*row)
