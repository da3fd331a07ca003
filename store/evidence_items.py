"""The evidence of memberships and its files: kept, withdrawn by a later item, never changed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor, signature
from store.db import Connection, transaction
from store.memberships import Membership
from store.queries import query


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
class File:
    """A file with its name as it came."""

    name: str
    media_type: str
    content: bytes


def listed(conn: Connection, membership_id: int) -> list[StoredItem]:
    """Return the evidence of a stay that was not withdrawn, oldest first."""
    with transaction(conn):
        rows = conn.execute(query("list_items"), {"membership_id": membership_id})
        return [StoredItem(*row) for row in rows]


def add(conn: Connection, actor: Actor, membership: Membership, item: NewItem, at: datetime) -> int:
    """Keep a piece of evidence and return its number; raises Refused for what does not fit."""
    values = (
        asdict(item)
        | signature(actor)
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
) -> bool:
    """Keep a file of a factory; False for one that is there already, which stays as it is."""
    values = (
        asdict(file) | signature(actor) | {"factory_id": factory_id, "sha256": sha256, "at": at}
    )
    with transaction(conn):
        return conn.execute(query("insert_file"), values).rowcount == 1


def file(conn: Connection, factory_id: int, sha256: str) -> File | None:
    """Return a file of a factory."""
    with transaction(conn):
        values = {"factory_id": factory_id, "sha256": sha256}
        row = conn.execute(query("read_file"), values).fetchone()
    return None if row is None else File(row[0], row[1], bytes(row[2]))
