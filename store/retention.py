"""Raw rows that are no longer kept, and the facts that are final since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from store.db import Connection, reading, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Horizon:
    """The first local day of a factory that is not final, and from when on it has raw rows."""

    final_until: date
    rows_from: datetime


@dataclass(frozen=True, slots=True)
class Seal:
    """The hash of the facts of local days [final_from, final_until), over some of their columns."""

    final_from: date | None
    final_until: date
    rows_from: datetime
    columns: tuple[str, ...]
    fact_count: int
    facts_sha256: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """Raw rows of [start, end) as the database keeps them together."""

    start: datetime
    end: datetime
    size_bytes: int


def horizon(conn: Connection, factory_id: int) -> Horizon | None:
    """Return what of a factory is final; None while all its rows are kept."""
    with reading():
        row = conn.execute(query("final_until"), {"factory_id": factory_id}).fetchone()
    return None if row is None else Horizon(*row)


def seals(conn: Connection, factory_id: int) -> list[Seal]:
    """Return the sealed spans of a factory, oldest first."""
    with reading():
        rows = conn.execute(query("final_spans"), {"factory_id": factory_id})
        return [
            Seal(start, end, rows_from, tuple(columns), count, bytes(sha256))
            for start, end, rows_from, columns, count, sha256 in rows
        ]


def chunks(conn: Connection, before: datetime) -> list[Chunk]:
    """Return the chunks of raw rows that end by a time, oldest first."""
    with transaction(conn):
        return [Chunk(*row) for row in conn.execute(query("chunks_before"), {"before": before})]


def sparse_tags(
    conn: Connection, factory_id: int, start: datetime, end: datetime, least: int
) -> list[str]:
    """Return tags with rows before and after [start, end) and fewer than `least` good inside."""
    values = {"factory_id": factory_id, "start": start, "end": end, "least": least}
    with transaction(conn):
        return [name for (name,) in conn.execute(query("sparse_tags"), values)]


def hold_jobs(conn: Connection) -> None:
    """Keep jobs and batches waiting until the caller's transaction ends."""
    conn.execute(query("hold_jobs"))


def seal(conn: Connection, factory_id: int, sealed: Seal, actor: str) -> None:
    """Note in the caller's transaction that a span is final."""
    values = {
        "factory_id": factory_id,
        "final_from": sealed.final_from,
        "final_until": sealed.final_until,
        "rows_from": sealed.rows_from,
        "columns": list(sealed.columns),
        "fact_count": sealed.fact_count,
        "facts_sha256": sealed.facts_sha256,
        "actor": actor,
    }
    conn.execute(query("insert_final_span"), values)


def drop_rows(conn: Connection, before: datetime) -> Sequence[str]:
    """Drop the chunks that end by a time in the caller's transaction; return their names."""
    return [name for (name,) in conn.execute(query("drop_rows"), {"before": before})]
