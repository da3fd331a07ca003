"""To-dos: what waits for which role at which factory, and what was said of its deadline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.queries import query

Step = Literal["first", "last", "raised"]
Names = Mapping[str, Mapping[str, str]]

_READER = "todos"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as the to-dos read it."""

    cursor: int
    factory_id: int
    kind: str
    at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewTodo:
    """A to-do to open; due is its last day, names fill the places of its text by language."""

    factory_id: int
    role: str
    kind: str
    object: str
    names: Names
    due: date | None
    due_estimated: bool
    raised_from: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A to-do of whose deadline something is to be said."""

    todo_id: int
    factory_id: int
    role: str
    kind: str
    object: str
    names: dict[str, dict[str, str]]
    due: date
    due_estimated: bool


@dataclass(frozen=True, slots=True)
class Todo:
    """What waits; raised means that the level below let its deadline pass."""

    todo_id: int
    factory: str
    name_zh: str
    name_en: str
    region: str
    region_zh: str
    region_en: str
    role: str
    kind: str
    object: str
    names: dict[str, dict[str, str]]
    due: date | None
    due_estimated: bool
    opened_at: datetime
    raised: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How much waits."""

    all: int
    overdue: int
    soon: int
    new: int


def hold(conn: Connection) -> int:
    """Return up to where the events were read, held until the caller's transaction ends."""
    row = conn.execute(query("hold_event_reader"), {"name": _READER}).fetchone()
    assert row is not None
    return int(row[0])


def advance(conn: Connection, cursor: int) -> None:
    """Note up to where the events were read."""
    conn.execute(query("advance_event_reader"), {"name": _READER, "cursor": cursor})


def happened_since(conn: Connection, cursor: int, most: int) -> list[Happening]:
    """Return what happened after a cursor, oldest first."""
    values = {"cursor": cursor, "most": most}
    with transaction(conn):
        return [Happening(*row) for row in conn.execute(query("events_for_todos"), values)]


def open_one(conn: Connection, new: NewTodo, at: datetime) -> int | None:
    """Open a to-do and return its number; one that waits gets the new deadline and gives None."""
    values = {
        "factory_id": new.factory_id,
        "role": new.role,
        "kind": new.kind,
        "object": new.object,
        "names": Jsonb({language: dict(each) for language, each in new.names.items()}),
        "due": new.due,
        "due_estimated": new.due_estimated,
        "raised_from": new.raised_from,
        "at": at,
    }
    with transaction(conn):
        row = conn.execute(query("open_todo"), values).fetchone()
    return int(row[0]) if row is not None and row[1] else None


def close(conn: Connection, factory_id: int, kind: str, object_: str | None, at: datetime) -> int:
    """Close what waits of a kind, for one object or for all, and return how many."""
    values = {"factory_id": factory_id, "kind": kind, "object": object_, "at": at}
    with transaction(conn):
        return conn.execute(query("close_todos"), values).rowcount


def to_notice(
    conn: Connection,
    step: Step,
    first: date,
    last: date,
    *,
    opened_before: datetime | None,
    most: int,
) -> list[Due]:
    """Return to-dos due from `first` to `last` of which a step was not said yet."""
    values = {
        "step": step,
        "first": first,
        "last": last,
        "opened_before": opened_before,
        "most": most,
    }
    with transaction(conn):
        return [Due(*row) for row in conn.execute(query("todos_to_notice"), values)]


def notice(conn: Connection, due: Due, step: Step, at: datetime) -> None:
    """Note that a step was said of a deadline."""
    values = {
        "todo_id": due.todo_id,
        "factory_id": due.factory_id,
        "step": step,
        "due": due.due,
        "at": at,
    }
    with transaction(conn):
        conn.execute(query("insert_todo_notice"), values)


def listed(
    conn: Connection,
    *,
    role: str | None = None,
    factory: str | None = None,
    after: tuple[date | None, int] | None = None,
    most: int = 100,
) -> list[Todo]:
    """Return what waits by deadline, behind the deadline and number of the last one shown."""
    after_due, after_id = after or (None, None)
    values = {
        "role": role,
        "factory": factory,
        "after_due": after_due,
        "after_id": after_id,
        "most": most,
    }
    with transaction(conn):
        return [Todo(*row) for row in conn.execute(query("list_todos"), values)]


def counts(
    conn: Connection, *, role: str | None, today: date, soon: date, since: datetime
) -> Counts:
    """Count what waits, what is overdue, due from today to `soon`, and opened since a time."""
    values = {"role": role, "today": today, "soon": soon, "since": since}
    with transaction(conn):
        row = conn.execute(query("count_todos"), values).fetchone()
    assert row is not None
    return Counts(*row)
