"""The inlet of the spool: everything that was read is on disk here before anything else.

One thread writes through a Spool; the sink takes out through an Outbox with a connection of its
own. SQLite's write lock puts the two in line.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from collectors.columns import Columns, TagTable
from collectors.sample import Delivery, Refused, now_us
from collectors.spool import blocks
from collectors.spool import bounds as spool_bounds
from collectors.spool.age import AgeClock
from collectors.spool.blocks import Block
from collectors.spool.bounds import Bounds
from collectors.spool.file import add_counts, open_file, transaction
from store.canonical import Record, Rows

# More than any broker has in flight, far fewer than the 65,535 message numbers that it reuses.
_REMEMBERED_MESSAGES = 20_000
_MOST_PAYLOAD = 4096

Arrived = tuple[str, Delivery]


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source is doing: state is up, down or starting; times in µs since 1970 UTC."""

    name: str
    state: str
    since_us: int
    last_good_us: int | None
    reason: str | None


class Spool:
    """Appends what sources deliver, whole or not at all, and keeps the file within its bounds."""

    def __init__(self, path: Path, bounds: Bounds, age: AgeClock | None = None) -> None:
        self._conn = open_file(path)
        self._bounds = bounds
        self._age = age or AgeClock(bounds.max_age_s)
        self._numbers: dict[str, int] = dict(self._conn.execute("SELECT name, tag_index FROM tag"))
        # The spool's number of each tag of a source's table, for as long as the table lives.
        self._indexes: WeakKeyDictionary[TagTable, npt.NDArray[np.int32]] = WeakKeyDictionary()

    def unseen(self, arrived: Sequence[Arrived]) -> list[Arrived]:
        """Return the deliveries without the messages that are stored already."""
        new: list[Arrived] = []
        now: set[bytes] = set()
        for name, one in arrived:
            message = one.message
            if message is not None:
                if message.repeated and (message.digest in now or self._is_stored(message.digest)):
                    continue
                now.add(message.digest)
            new.append((name, one))
        return new

    def append(self, arrived: Sequence[Arrived], repeated: int = 0) -> None:
        """Store deliveries, each with its source's name, in one durable transaction.

        Their rows become one block, so they should have arrived within a minute. repeated counts
        the messages that came again and are stored already. Raises sqlite3.Error when the disk
        does not take it; nothing is stored then.
        """
        numbers_before = dict(self._numbers)
        try:
            with transaction(self._conn):
                self._insert(arrived)
                add_counts(self._conn, [("repeated", repeated)])
                spool_bounds.enforce(self._conn, self._bounds, self._age.too_old_us())
        except BaseException:
            # Tags that were numbered in the transaction have no number any more.
            self._numbers = numbers_before
            self._indexes.clear()
            raise

    def save_sources(self, states: Iterable[SourceState]) -> None:
        """Keep the state of sources for whoever asks from outside the process."""
        rows = [(s.name, s.state, s.since_us, s.last_good_us, s.reason) for s in states]
        with transaction(self._conn):
            self._conn.execute("DELETE FROM source")
            self._conn.executemany("INSERT INTO source VALUES (?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._conn.close()

    def _is_stored(self, digest: bytes) -> bool:
        query = "SELECT 1 FROM delivered WHERE digest = ?"
        return self._conn.execute(query, (digest,)).fetchone() is not None

    def _insert(self, arrived: Sequence[Arrived]) -> None:
        now = now_us()
        arrivals_us = [one.arrived_us or now for _, one in arrived] or [now]
        records = [record for _, one in arrived for record in one.records]
        refused = [(name, thing) for name, one in arrived for thing in one.refused]
        rows = self._rows(arrived)
        blocks.append(self._conn, Block(min(arrivals_us), max(arrivals_us), rows))
        self._insert_records(records, max(arrivals_us))
        insert_quarantined(self._conn, refused)
        self._remember([one.message.digest for _, one in arrived if one.message is not None])
        counts = {"rows": len(rows), "records": len(records), "refused": len(refused)}
        add_counts(self._conn, [*counts.items(), ("waiting_records", len(records))])

    def _rows(self, arrived: Sequence[Arrived]) -> Rows:
        """Return the rows of deliveries under the spool's own numbers of tags."""
        parts = []
        for _, one in arrived:
            if one.samples:
                parts.append(self._numbered(Columns.of_samples(TagTable(), one.samples)))
            parts += [self._numbered(block) for block in one.columns]
        return blocks.concatenated(parts)

    def _numbered(self, block: Columns) -> Rows:
        known = self._indexes.get(block.table)
        if known is None or len(known) < len(block.table):
            known = self._number_all(block.table)
            self._indexes[block.table] = known
        return Rows(known[block.index], block.ts_us, block.value, block.status)

    def _number_all(self, table: TagTable) -> npt.NDArray[np.int32]:
        for name in table.names:
            if name not in self._numbers:
                # The outbox may have learnt it from the plan meanwhile.
                self._conn.execute("INSERT OR IGNORE INTO tag (name) VALUES (?)", (name,))
                query = "SELECT tag_index FROM tag WHERE name = ?"
                (self._numbers[name],) = self._conn.execute(query, (name,)).fetchone()
        return np.array([self._numbers[name] for name in table.names], np.int32)

    def _insert_records(self, records: Sequence[Record], arrived_us: int) -> None:
        rows = [
            (one.kind, one.key, one.at.isoformat(), body_text(one.body), arrived_us)
            for one in records
        ]
        insert = "INSERT INTO record (kind, key, at, body, arrived_us)"
        self._conn.executemany(f"{insert} VALUES (?, ?, ?, ?, ?)", rows)

    def _remember(self, digests: list[bytes]) -> None:
        if not digests:
            return
        insert = "INSERT OR REPLACE INTO delivered (digest) VALUES (?)"
        self._conn.executemany(insert, [(digest,) for digest in digests])
        self._conn.execute(
            "DELETE FROM delivered "
            "WHERE delivered_id <= (SELECT max(delivered_id) FROM delivered) - ?",
            (_REMEMBERED_MESSAGES,),
        )


def body_text(body: dict[str, object]) -> str:
    """Return a record's body as the JSON text that the spool keeps."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False)


def insert_quarantined(conn: sqlite3.Connection, refused: Iterable[tuple[str, Refused]]) -> None:
    """Keep what could not be understood, each with its source; long payloads are cut."""
    seen_us = now_us()
    rows = [(name, one.reason, one.payload[:_MOST_PAYLOAD], seen_us) for name, one in refused]
    insert = "INSERT INTO quarantined (source, reason, payload, seen_at_us)"
    conn.executemany(f"{insert} VALUES (?, ?, ?, ?)", rows)
