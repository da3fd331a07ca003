"""Memberships of the pool: where a factory stands, its steps, its evidence and what happened."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor
from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Membership:
    """A factory's stay in the pool; deadline is the last day of the term that runs."""

    membership_id: int
    factory_id: int
    factory: str
    name_zh: str
    name_en: str
    region: str
    state: str
    version: int
    # The version at which the state was entered.
    stage: int
    since: datetime
    entered_on: date
    deadline: date | None
    deadline_estimated: bool
    extensions: int
    reviewed_on: date | None
    left_on: date | None
    lifecycle_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken, with what it was decided under."""

    version: int
    transition_id: str
    from_state: str | None
    to_state: str
    at: datetime
    account_id: int | None
    actor: str
    role: str
    comment: str
    deadline: date | None
    lifecycle_id: str
    policy_id: str
    situation: dict[str, Any]
    documents: list[str]


@dataclass(frozen=True, slots=True)
class StoredItem:
    """A piece of evidence; accounts are those of all who made it."""

    item_id: int
    stage: int
    kind: str
    happened_on: date
    data: dict[str, Any]
    note: str
    people: list[str]
    accounts: list[int]
    account_id: int | None
    actor: str
    role: str
    at: datetime
    file_sha256: str | None
    file_name: str | None


@dataclass(frozen=True, slots=True)
class NewItem:
    """What is to be kept as evidence, or which item it withdraws."""

    kind: str
    happened_on: date
    data: Mapping[str, Any]
    note: str = ""
    people: tuple[str, ...] = ()
    accounts: tuple[int, ...] = ()
    file_sha256: str | None = None
    withdraws: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A step that was asked for and waits for a second person."""

    request_id: int
    transition_id: str
    version: int
    account_id: int | None
    actor: str
    role: str
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Warned:
    """An open warning with the numbers that fired it."""

    rule: str
    since: date
    subject: str
    numbers: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Next:
    """Where a step brings a membership."""

    state: str
    stage: int
    since: datetime
    deadline: date | None
    deadline_estimated: bool
    extensions: int
    reviewed_on: date | None
    left_on: date | None
    lifecycle_id: str


@dataclass(frozen=True, slots=True)
class NewTaken:
    """What is kept of a step beside who took it."""

    transition_id: str
    from_state: str | None
    to_state: str
    comment: str
    request_id: int | None
    deadline: date | None
    lifecycle_id: str
    policy_id: str
    situation: Mapping[str, Any]
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file with its name as it came."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a factory, in the order of the cursor."""

    cursor: int
    factory: str
    kind: str
    at: datetime
    account_id: int | None
    actor: str
    role: str
    payload: dict[str, Any]


def newest(conn: Connection, factory_id: int) -> Membership | None:
    """Return the stay of a factory that runs, else its last, else None."""
    with transaction(conn):
        row = conn.execute(query("newest_membership"), {"factory_id": factory_id}).fetchone()
    return None if row is None else Membership(*row)


def listed(
    conn: Connection,
    *,
    state: str | None = None,
    region: str | None = None,
    due_by: date | None = None,
    after: str = "",
    most: int = 100,
) -> list[Membership]:
    """Return the newest stay of each factory behind a factory code, by code."""
    values = {"state": state, "region": region, "due_by": due_by, "after": after, "most": most}
    with transaction(conn):
        return [Membership(*row) for row in conn.execute(query("list_memberships"), values)]


def lock(conn: Connection, membership_id: int) -> int | None:
    """Hold a stay within the caller's transaction and return its version; None if it may not."""
    row = conn.execute(query("lock_membership"), {"membership_id": membership_id}).fetchone()
    return None if row is None else int(row[0])


def enter(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    *,
    entered_on: date,
    at: datetime,
    taken: NewTaken,
) -> int:
    """Begin a stay with its first step and return its number."""
    values = {
        "factory_id": factory_id,
        "state": taken.to_state,
        "entered_on": entered_on,
        "at": at,
        "lifecycle_id": taken.lifecycle_id,
    }
    with transaction(conn):
        row = conn.execute(query("insert_membership"), values).fetchone()
        assert row is not None
        _keep(conn, actor, (row[0], factory_id, 1), at, taken)
    return int(row[0])


def move(
    conn: Connection,
    actor: Actor,
    membership: Membership,
    *,
    to: Next,
    at: datetime,
    taken: NewTaken,
) -> int | None:
    """Take a step and return the new version; None where somebody else was first."""
    values = asdict(to) | {
        "membership_id": membership.membership_id,
        "version": membership.version,
    }
    with transaction(conn):
        row = conn.execute(query("move_membership"), values).fetchone()
        if row is None:
            return None
        _keep(conn, actor, (membership.membership_id, membership.factory_id, row[0]), at, taken)
    return int(row[0])


def correct_entry(conn: Connection, membership_id: int, entered_on: date) -> None:
    """Set the day on which a stay began right."""
    with transaction(conn):
        values = {"membership_id": membership_id, "entered_on": entered_on}
        conn.execute(query("correct_entry"), values)


def steps(conn: Connection, membership_id: int) -> list[Taken]:
    """Return the steps of a stay, oldest first."""
    with transaction(conn):
        rows = conn.execute(query("list_transitions"), {"membership_id": membership_id})
        return [Taken(*row) for row in rows]


def open_warnings(conn: Connection, factory_id: int) -> list[Warned]:
    """Return the warnings of a factory that were not cleared."""
    with transaction(conn):
        rows = conn.execute(query("open_warnings"), {"factory_id": factory_id})
        return [Warned(*row) for row in rows]


def items(conn: Connection, membership_id: int) -> list[StoredItem]:
    """Return the evidence of a stay that was not withdrawn, oldest first."""
    with transaction(conn):
        rows = conn.execute(query("list_items"), {"membership_id": membership_id})
        return [StoredItem(*row) for row in rows]


def add_item(
    conn: Connection, actor: Actor, membership: Membership, item: NewItem, at: datetime
) -> int:
    """Keep a piece of evidence and return its number; raises Refused for what does not fit."""
    values = (
        asdict(item)
        | _who(actor)
        | {
            "membership_id": membership.membership_id,
            "factory_id": membership.factory_id,
            "stage": membership.stage,
            "data": Jsonb(dict(item.data)),
            "people": list(item.people),
            "accounts": list(item.accounts),
            "at": at,
        }
    )
    with transaction(conn):
        row = conn.execute(query("insert_item"), values).fetchone()
    assert row is not None
    return int(row[0])


def add_file(
    conn: Connection, actor: Actor, factory_id: int, sha256: str, file: File, at: datetime
) -> None:
    """Keep a file of a factory; one that is there already stays as it is."""
    values = asdict(file) | _who(actor) | {"factory_id": factory_id, "sha256": sha256, "at": at}
    with transaction(conn):
        conn.execute(query("insert_file"), values)


def file(conn: Connection, factory_id: int, sha256: str) -> File | None:
    """Return a file of a factory."""
    with transaction(conn):
        values = {"factory_id": factory_id, "sha256": sha256}
        row = conn.execute(query("read_file"), values).fetchone()
    return None if row is None else File(row[0], row[1], bytes(row[2]))


def verdicts(conn: Connection, factory_id: int) -> list[tuple[str, str, str]]:
    """Return KPI, fulfilment and consistency of the newest rolling year that was judged."""
    with transaction(conn):
        rows = conn.execute(query("verdict_words"), {"factory_id": factory_id})
        return [(row[0], row[1], row[2]) for row in rows]


def last_heard(conn: Connection, factory_id: int) -> datetime | None:
    """Return when data of a factory last arrived."""
    with transaction(conn):
        row = conn.execute(query("last_heard"), {"factory_id": factory_id}).fetchone()
    return None if row is None else row[0]


def request(conn: Connection, membership_id: int) -> Request | None:
    """Return the request of a stay that waits for its confirmation."""
    with transaction(conn):
        row = conn.execute(query("open_request"), {"membership_id": membership_id}).fetchone()
    return None if row is None else Request(*row)


def ask(
    conn: Connection,
    actor: Actor,
    membership: Membership,
    transition_id: str,
    comment: str,
    at: datetime,
) -> int:
    """Ask for a step that a second person confirms; raises Refused where one waits already."""
    values = _who(actor) | {
        "membership_id": membership.membership_id,
        "factory_id": membership.factory_id,
        "version": membership.version,
        "transition_id": transition_id,
        "comment": comment,
        "at": at,
    }
    with transaction(conn):
        row = conn.execute(query("insert_request"), values).fetchone()
    assert row is not None
    return int(row[0])


def end_request(
    conn: Connection, actor: Actor, membership_id: int, outcome: str, answer: str, at: datetime
) -> int | None:
    """End the request that waits and return its number; None where there is none."""
    values = _who(actor) | {
        "membership_id": membership_id,
        "outcome": outcome,
        "answer": answer,
        "at": at,
    }
    with transaction(conn):
        row = conn.execute(query("decide_request"), values).fetchone()
    return None if row is None else int(row[0])


def happened(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    kind: str,
    payload: Mapping[str, Any],
    at: datetime,
) -> None:
    """Say that something happened; others read it by its cursor once the transaction commits."""
    values = _who(actor) | {
        "factory_id": factory_id,
        "kind": kind,
        "payload": Jsonb(dict(payload)),
        "at": at,
    }
    with transaction(conn):
        conn.execute(query("insert_event"), values)


def events_since(
    conn: Connection, cursor: int, *, factory: str | None = None, most: int = 200
) -> list[Event]:
    """Return what happened after a cursor, oldest first; cursor 0 is the beginning."""
    values = {"cursor": cursor, "factory": factory, "most": most}
    with transaction(conn):
        return [Event(*row) for row in conn.execute(query("events_since"), values)]


def _keep(
    conn: Connection,
    actor: Actor,
    place: tuple[int, int, int],
    at: datetime,
    taken: NewTaken,
) -> None:
    membership_id, factory_id, version = place
    values = (
        asdict(taken)
        | _who(actor)
        | {
            "membership_id": membership_id,
            "factory_id": factory_id,
            "version": version,
            "at": at,
            "situation": Jsonb(dict(taken.situation)),
            "documents": list(taken.documents),
        }
    )
    conn.execute(query("insert_transition"), values)


def _who(actor: Actor) -> dict[str, Any]:
    return {"account_id": actor.account_id, "actor": actor.name, "role": actor.role}
