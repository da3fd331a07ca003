"""Memberships of the pool: where a factory stands, the steps it took, and what rules see of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor, signature
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


def step_versions(conn: Connection, membership_id: int) -> dict[int, int]:
    """Return the version that each step of a stay led to, by the number that documents name."""
    with transaction(conn):
        rows = conn.execute(query("step_versions"), {"membership_id": membership_id})
        return {int(row[0]): int(row[1]) for row in rows}


def open_warnings(conn: Connection, factory_id: int) -> list[Warned]:
    """Return the warnings of a factory that were not cleared."""
    with transaction(conn):
        rows = conn.execute(query("open_warnings"), {"factory_id": factory_id})
        return [Warned(*row) for row in rows]


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
        | signature(actor)
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
