"""Warnings and proposals that the night's rules made: kept, ended, and found again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Given:
    """A warning or a proposal that is to be kept or ended, with its numbers."""

    factory_id: int
    rule: str
    subject: str
    since: date
    numbers: Mapping[str, Any]
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptWarning:
    """A warning on record; cleared_by holds the numbers that say that its cause is gone."""

    warning_id: int
    factory: str
    rule: str
    subject: str
    since: date
    numbers: dict[str, Any]
    policy_id: str
    fired_at: datetime
    cleared_at: datetime | None
    cleared_by: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Found:
    """A warning with the names of its factory and county."""

    warning: KeptWarning
    name_zh: str
    name_en: str
    region_zh: str
    region_en: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Steps that the machine proposed to people, and why."""

    proposal_id: int
    factory: str
    rule: str
    subject: str
    steps: list[str]
    since: date
    numbers: dict[str, Any]
    policy_id: str
    made_at: datetime
    ended_at: datetime | None
    ended_by: dict[str, Any] | None


def fire(conn: Connection, given: Given, policy_id: str, at: datetime) -> bool:
    """Keep a warning; False where the same is open."""
    return _kept(conn, "fire_warning", given, policy_id, at)


def clear(conn: Connection, given: Given, at: datetime) -> bool:
    """Clear a warning; False where none is open."""
    return _kept(conn, "clear_warning", given, "", at)


def propose(conn: Connection, given: Given, policy_id: str, at: datetime) -> bool:
    """Keep a proposal; False where the same is open."""
    return _kept(conn, "make_proposal", given, policy_id, at)


def end_proposal(conn: Connection, given: Given, at: datetime) -> bool:
    """End a proposal; False where none is open."""
    return _kept(conn, "end_proposal", given, "", at)


def listed(
    conn: Connection, factory_id: int | None = None, *, cleared: bool = False, most: int = 200
) -> list[KeptWarning]:
    """Return the warnings of a factory or of all, newest first."""
    values = {"factory_id": factory_id, "cleared": cleared, "most": most}
    with transaction(conn):
        return [KeptWarning(*row) for row in conn.execute(query("list_warnings"), values)]


def find(
    conn: Connection,
    *,
    factory: str | None = None,
    region: str | None = None,
    rule: str | None = None,
    is_open: bool | None = True,
    after: tuple[date, int] | None = None,
    most: int = 100,
) -> list[Found]:
    """Return warnings, the oldest cause first, behind the day and number of the last one shown."""
    after_since, after_id = after or (None, None)
    values = {
        "factory": factory,
        "region": region,
        "rule": rule,
        "open": is_open,
        "after_since": after_since,
        "after_id": after_id,
        "most": most,
    }
    with transaction(conn):
        rows = conn.execute(query("find_warnings"), values).fetchall()
    return [Found(KeptWarning(*row[:-4]), *row[-4:]) for row in rows]


def count_open(conn: Connection, factory_id: int) -> int:
    """Return how many warnings are open at a factory."""
    with transaction(conn):
        row = conn.execute(query("count_open_warnings"), {"factory_id": factory_id}).fetchone()
    assert row is not None
    return int(row[0])


def proposals(
    conn: Connection, factory_id: int | None = None, *, ended: bool = False, most: int = 200
) -> list[Proposal]:
    """Return what was proposed for a factory or for all, newest first."""
    values = {"factory_id": factory_id, "ended": ended, "most": most}
    with transaction(conn):
        return [Proposal(*row) for row in conn.execute(query("list_proposals"), values)]


def _kept(conn: Connection, name: str, given: Given, policy_id: str, at: datetime) -> bool:
    values = asdict(given) | {
        "numbers": Jsonb(dict(given.numbers)),
        "steps": list(given.steps),
        "policy_id": policy_id,
        "at": at,
    }
    with transaction(conn):
        return conn.execute(query(name), values).fetchone() is not None
