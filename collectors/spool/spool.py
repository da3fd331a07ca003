"""The inlet of the spool: everything that was read is on disk here before anything else.

One thread writes through a Spool; the sink takes out through an Outbox with a connection of its
own. SQLite's write lock puts the two in line.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors.sample import Delivery, Refused, Sample, now_us
from collectors.spool import bounds as spool_bounds
from collectors.spool.bounds import Bounds
from collectors.spool.file import add_counts, open_file, transaction
from store.canonical import Record

# More than any broker has in flight, far fewer than the 65,535 message numbers that it reuses.
_REMEMBERED_MESSAGES = 20_000
_MOST_PAYLOAD = 4096


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

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._conn = open_file(path)
        self._bounds = bounds
        self._tags: dict[str, int] = dict(self._conn.execute("SELECT name, tag_index FROM tag"))

    def append(self, arrived: Sequence[tuple[str, Delivery]]) -> None:
        """Store deliveries, each with its source's name, in one durable transaction.

        A message delivered again that is stored already adds nothing. Raises sqlite3.Error when
        the disk does not take it; nothing is stored then.
        """
        tags_before = dict(self._tags)
        try:
            with transaction(self._conn):
                new = [(name, one) for name, one in arrived if not self._is_stored(one)]
                self._insert(new)
                add_counts(self._conn, [("repeated", len(arrived) - len(new))])
                spool_bounds.enforce(self._conn, self._bounds)
        except BaseException:
            self._tags = tags_before
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

    def _is_stored(self, delivery: Delivery) -> bool:
        message = delivery.message
        if message is None or not message.repeated:
            return False
        query = "SELECT 1 FROM delivered WHERE digest = ?"
        return self._conn.execute(query, (message.digest,)).fetchone() is not None

    def _insert(self, arrived: list[tuple[str, Delivery]]) -> None:
        now_s = int(time.time())
        samples = [sample for _, one in arrived for sample in one.samples]
        records = [record for _, one in arrived for record in one.records]
        refused = [(name, thing) for name, one in arrived for thing in one.refused]
        self._insert_samples(samples, now_s)
        self._insert_records(records, now_s)
        insert_quarantined(self._conn, refused)
        self._remember([one.message.digest for _, one in arrived if one.message is not None])
        counts = {"rows": len(samples), "records": len(records), "refused": len(refused)}
        add_counts(self._conn, counts.items())

    def _insert_samples(self, samples: Sequence[Sample], now_s: int) -> None:
        for name in {sample.tag for sample in samples} - self._tags.keys():
            # The outbox may have learnt it from the plan meanwhile.
            self._conn.execute("INSERT OR IGNORE INTO tag (name) VALUES (?)", (name,))
            query = "SELECT tag_index FROM tag WHERE name = ?"
            (self._tags[name],) = self._conn.execute(query, (name,)).fetchone()
        rows = [
            (self._tags[tag], ts_us, value, status, now_s) for tag, ts_us, value, status in samples
        ]
        insert = "INSERT INTO sample (tag_index, ts_us, value, status, arrived_s)"
        self._conn.executemany(f"{insert} VALUES (?, ?, ?, ?, ?)", rows)

    def _insert_records(self, records: Sequence[Record], now_s: int) -> None:
        rows = [
            (one.kind, one.key, one.at.isoformat(), body_text(one.body), now_s) for one in records
        ]
        insert = "INSERT INTO record (kind, key, at, body, arrived_s)"
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
