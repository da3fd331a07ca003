"""The record of what was done: append-only, each entry chained to the one before it by hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor
from store.db import Connection, transaction
from store.queries import query

FIRST_PREVIOUS = bytes(32)

_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to which thing; before and after hold what changed."""

    entry_id: int
    at: datetime
    account_id: int | None
    actor: str
    role: str
    action: str
    kind: str
    key: str
    factory: str | None
    before: Any
    after: Any
    reason: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Chain:
    """How far the chain holds: its last entry, and the first that does not follow, if any."""

    entries: int
    last_id: int
    last_sha256: str
    broken_id: int | None
    why: str | None


def note(
    conn: Connection,
    actor: Actor,
    action: str,
    *,
    kind: str,
    key: object,
    factory_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Have it noted that an actor did something; it is chained when the transaction commits.

    Under a caller's key the database puts in that caller, whatever `actor` says, and refuses a
    factory out of scope. Raises Refused or StoreUnavailable.
    """
    values = {
        "account_id": actor.account_id,
        "actor": actor.name,
        "role": actor.role,
        "action": action,
        "kind": kind,
        "key": str(key),
        "factory_id": factory_id,
        "before": None if before is None else Jsonb(dict(before)),
        "after": None if after is None else Jsonb(dict(after)),
        "reason": reason,
    }
    with transaction(conn):
        conn.execute(query("append_entry"), values)


def verify(conn: Connection) -> Chain:
    """Walk the chain from its first entry and name the first that does not follow."""
    previous, last_id, count = FIRST_PREVIOUS, 0, 0
    while page := _chain_page(conn, last_id):
        for entry_id, content, previous_said, said in page:
            why = _fault(last_id, previous, entry_id, content, previous_said, said)
            if why is not None:
                return Chain(count, last_id, previous.hex(), entry_id, why)
            previous, last_id, count = said, entry_id, count + 1
    return Chain(count, last_id, previous.hex(), None, None)


def _chain_page(conn: Connection, after: int) -> list[tuple[int, bytes, bytes, bytes]]:
    with transaction(conn):
        rows = conn.execute(query("audit_chain"), {"after": after, "most": _PAGE})
        return [(number, bytes(a), bytes(b), bytes(c)) for number, a, b, c in rows]


def holds(conn: Connection, entry_id: int, sha256: str) -> bool:
    """Tell whether the chain has an entry of this number and hash."""
    values = {"entry_id": entry_id, "sha256": sha256}
    with transaction(conn):
        return conn.execute(query("entry_holds"), values).fetchone() == (True,)


def _fault(
    last_id: int, previous: bytes, entry_id: int, content: bytes, previous_said: bytes, said: bytes
) -> str | None:
    if entry_id != last_id + 1:
        return f"entry {last_id + 1} is missing before it"
    if previous_said != previous:
        return "it does not name the hash of the entry before it"
    if hashlib.sha256(previous + content).digest() != said:
        return "its hash does not follow from what it says"
    return None


def entries(
    conn: Connection,
    *,
    factory: str | None = None,
    kind: str | None = None,
    key: str | None = None,
    account_id: int | None = None,
    action: str | None = None,
    before: int | None = None,
    most: int = 100,
) -> list[Entry]:
    """Return what was done, newest first, as far as the caller may read it.

    `before` is the number of the last entry of the page before.
    """
    values = {
        "factory": factory,
        "kind": kind,
        "key": key,
        "account_id": account_id,
        "action": action,
        "before": before,
        "most": most,
    }
    with transaction(conn):
        return [Entry(*row) for row in conn.execute(query("list_entries"), values)]
