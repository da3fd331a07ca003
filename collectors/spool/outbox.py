"""The outlet of the spool: batches are cut, signed and chained here, and leave when acknowledged.

A batch is cut in one transaction and kept byte for byte until the database has answered. A crash
in between sends the same sequence number and hash again, which the database knows. So there is
never more than one batch cut and unanswered, and what waits behind it may still be dropped.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from collectors.errors import SpoolDamaged
from collectors.sample import Refused, now_us
from collectors.spool.file import add_counts, open_file, transaction
from store.batches import Batch
from store.canonical import Record, Rows, canonical_bytes, chain_hash, unique_sorted

_ROW = np.dtype([("tag", ">i4"), ("ts", ">i8"), ("value", ">f8"), ("status", ">i4")])

_Row = tuple[int, int, int, float | None, int]


@dataclass(frozen=True, slots=True)
class Signer:
    """Who cuts batches: the gateway's name, the version of its file, and its signature."""

    gateway: str
    config_version: str
    sign: Callable[[bytes], bytes]


class Outbox:
    """Takes batches out of the spool, one at a time and in order."""

    def __init__(self, path: Path, signer: Signer) -> None:
        self._conn = open_file(path)
        self._signer = signer

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._conn.close()

    # --- tags -----------------------------------------------------------------------------------

    def learn_tags(self, tag_ids: dict[str, int]) -> None:
        """Keep the numbers by which the database knows tags; one that it forgot loses its own."""
        with transaction(self._conn):
            known = self._conn.execute("SELECT name, tag_id FROM tag").fetchall()
            changed = [(tag_ids.get(name), name) for name, old in known if old != tag_ids.get(name)]
            self._conn.executemany("UPDATE tag SET tag_id = ? WHERE name = ?", changed)
            new = [(name, number) for name, number in tag_ids.items() if name not in dict(known)]
            self._conn.executemany("INSERT INTO tag (name, tag_id) VALUES (?, ?)", new)

    def unknown_tags(self) -> list[str]:
        """Return the tags that have rows waiting and are not in the database's plan."""
        query = (
            "SELECT DISTINCT name FROM sample JOIN tag USING (tag_index) "
            "WHERE tag_id IS NULL ORDER BY name"
        )
        return [name for (name,) in self._conn.execute(query)]

    # --- the chain ------------------------------------------------------------------------------

    def last(self) -> tuple[int, bytes]:
        """Return the newest (seq, sha256) given out; (0, 32 zero bytes) before the first."""
        seq, sha256 = self._conn.execute("SELECT seq, sha256 FROM chain").fetchone()
        return seq, bytes(sha256)

    def follow(self, last: tuple[int, bytes]) -> None:
        """Continue the chain behind a batch that the database has and this spool does not know."""
        with transaction(self._conn):
            self._conn.execute("UPDATE chain SET seq = ?, sha256 = ?, acked = ?", (*last, last[0]))

    # --- batches --------------------------------------------------------------------------------

    def outstanding(self) -> Batch | None:
        """Return the batch that is cut and unanswered, byte for byte; raises SpoolDamaged."""
        row = self._conn.execute(
            "SELECT seq, config_version, row_data, records, prev_sha256, sha256, signature, "
            "clock_skew_s FROM batch"
        ).fetchone()
        if row is None:
            return None
        seq, version, row_data, records, prev, sha256, signature, skew_s = row
        batch = Batch(
            gateway=self._signer.gateway,
            seq=seq,
            config_version=version,
            rows=_unpack_rows(row_data),
            records=_unpack_records(records),
            prev_sha256=prev,
            sha256=sha256,
            signature=signature,
            clock_skew_s=skew_s,
        )
        if chain_hash(prev, canonical_bytes(batch.rows, batch.records)) != sha256:
            raise SpoolDamaged(f"batch {seq} in the spool does not match its hash; keep the file")
        return batch

    def cut(self, most: int, clock_skew_s: float | None) -> Batch | None:
        """Cut the next batch, most records and rows in all, oldest first; None when none wait.

        Of two different values for one tag and time the later waits for the next batch, so that
        the database sees the conflict. Rows of tags that are not in the plan stay.
        """
        with transaction(self._conn):
            records = self._take_records(most)
            rows = self._take_rows(most - len(records))
            if len(rows) == 0 and not records:
                return None
            self._insert_batch(rows, records, clock_skew_s)
        return self.outstanding()

    def acknowledge(self, batch: Batch) -> None:
        """Let go of a batch that the database has."""
        with transaction(self._conn):
            self._conn.execute("DELETE FROM batch WHERE seq = ?", (batch.seq,))
            self._conn.execute("UPDATE chain SET acked = ?", (batch.seq,))
            counts = {"rows_sent": len(batch.rows), "records_sent": len(batch.records)}
            add_counts(self._conn, [*counts.items(), ("batches_sent", 1)])

    def dissolve(self, batch: Batch) -> None:
        """Put the content of a refused batch back in front and take its number back."""
        with transaction(self._conn):
            names = self._tag_names(batch.seq)
            self._put_back(batch, names)
            self._remove(batch)

    def set_aside(self, batch: Batch, reason: str) -> None:
        """Keep a batch that is refused for good out of the way, and take its number back."""
        with transaction(self._conn):
            self._conn.execute(
                "INSERT INTO aside (set_at_us, seq, reason, row_count, row_data, records, "
                "tag_names) SELECT ?, seq, ?, ?, row_data, records, tag_names FROM batch",
                (now_us(), reason, len(batch.rows) + len(batch.records)),
            )
            self._remove(batch)

    # --- what a person must see -------------------------------------------------------------------

    def quarantined(self, most: int) -> list[tuple[int, str, Refused]]:
        """Return (number, source, what) of the oldest entries that the database has not got."""
        query = (
            "SELECT quarantined_id, source, reason, payload FROM quarantined "
            "WHERE NOT sent ORDER BY quarantined_id LIMIT ?"
        )
        rows = self._conn.execute(query, (most,)).fetchall()
        return [(number, source, Refused(reason, text)) for number, source, reason, text in rows]

    def quarantined_sent(self, numbers: Sequence[int]) -> None:
        """Note which quarantined entries the database has."""
        with transaction(self._conn):
            update = "UPDATE quarantined SET sent = 1 WHERE quarantined_id = ?"
            self._conn.executemany(update, [(number,) for number in numbers])

    # --- inside a transaction -------------------------------------------------------------------

    def _take_rows(self, most: int) -> Rows:
        found: list[_Row] = self._conn.execute(
            "SELECT sample_id, tag_id, ts_us, value, status FROM sample JOIN tag USING (tag_index) "
            "WHERE tag_id IS NOT NULL ORDER BY sample_id LIMIT ?",
            (most,),
        ).fetchall()
        if not found:
            return Rows.empty()
        identities, tag_id, ts_us, value, code = zip(*found, strict=True)
        rows, left_over = unique_sorted(
            Rows(
                np.array(tag_id, np.int32),
                np.array(ts_us, np.int64),
                np.array(value, np.float64),
                np.array(code, np.int32),
            )
        )
        delete = "DELETE FROM sample WHERE sample_id = ?"
        self._conn.executemany(delete, [(identity,) for identity in identities])
        self._insert_rows(left_over, None)
        return rows

    def _take_records(self, most: int) -> tuple[Record, ...]:
        query = "SELECT record_id, kind, key, at, body FROM record ORDER BY record_id LIMIT ?"
        found = self._conn.execute(query, (most,)).fetchall()
        delete = "DELETE FROM record WHERE record_id = ?"
        self._conn.executemany(delete, [(row[0],) for row in found])
        return tuple(_record(*row[1:]) for row in found)

    def _insert_batch(
        self, rows: Rows, records: tuple[Record, ...], clock_skew_s: float | None
    ) -> None:
        seq, prev = self.last()
        data = canonical_bytes(rows, records)
        sha256 = chain_hash(prev, data)
        signature = self._signer.sign(sha256)
        values = (
            seq + 1,
            self._signer.config_version,
            canonical_bytes(rows),
            _pack_records(records),
            json.dumps(self._names_of(rows), ensure_ascii=False),
            prev,
            sha256,
            signature,
            clock_skew_s,
        )
        self._conn.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        self._conn.execute("UPDATE chain SET seq = ?, sha256 = ?", (seq + 1, sha256))

    def _remove(self, batch: Batch) -> None:
        self._conn.execute("DELETE FROM batch WHERE seq = ?", (batch.seq,))
        back = (batch.seq - 1, batch.prev_sha256)
        self._conn.execute("UPDATE chain SET seq = ?, sha256 = ?", back)

    def _put_back(self, batch: Batch, names: dict[int, str]) -> None:
        self._insert_rows(batch.rows, names)
        records = [
            (one.kind, one.key, one.at.isoformat(), json.dumps(one.body, ensure_ascii=False))
            for one in batch.records
        ]
        first = self._first("record") - len(records)
        now_s = now_us() // 1_000_000
        self._conn.executemany(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)",
            [(first + index, *record, now_s) for index, record in enumerate(records)],
        )

    def _insert_rows(self, rows: Rows, names: dict[int, str] | None) -> None:
        """Add rows in front of those that wait; with names, by the tag's name at the cut."""
        index_of = self._tag_indexes(names)
        first = self._first("sample") - len(rows)
        now_s = now_us() // 1_000_000
        columns = (rows.tag_id, rows.ts_us, rows.value, rows.status)
        found = zip(*(column.tolist() for column in columns), strict=True)
        self._conn.executemany(
            "INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?)",
            [
                (first + place, index_of[tag_id], ts_us, _or_none(value), code, now_s)
                for place, (tag_id, ts_us, value, code) in enumerate(found)
            ],
        )

    def _first(self, table: str) -> int:
        query = f"SELECT coalesce(min({table}_id), 1) FROM {table}"
        return int(self._conn.execute(query).fetchone()[0])

    def _tag_indexes(self, names: dict[int, str] | None) -> dict[int, int]:
        if names is None:
            query = "SELECT tag_id, tag_index FROM tag WHERE tag_id IS NOT NULL"
            return dict(self._conn.execute(query))
        by_name = dict(self._conn.execute("SELECT name, tag_index FROM tag"))
        return {tag_id: by_name[name] for tag_id, name in names.items()}

    def _names_of(self, rows: Rows) -> dict[int, str]:
        wanted = set(rows.tag_id.tolist())
        query = "SELECT tag_id, name FROM tag WHERE tag_id IS NOT NULL"
        return {tag_id: name for tag_id, name in self._conn.execute(query) if tag_id in wanted}

    def _tag_names(self, seq: int) -> dict[int, str]:
        query = "SELECT tag_names FROM batch WHERE seq = ?"
        (text,) = self._conn.execute(query, (seq,)).fetchone()
        return {int(tag_id): name for tag_id, name in json.loads(text).items()}


def _or_none(value: float) -> float | None:
    return None if value != value else value


def _unpack_rows(data: bytes) -> Rows:
    packed = np.frombuffer(data, _ROW)
    return Rows(
        packed["tag"].astype(np.int32),
        packed["ts"].astype(np.int64),
        packed["value"].astype(np.float64),
        packed["status"].astype(np.int32),
    )


def _pack_records(records: Sequence[Record]) -> str:
    fields = [[one.kind, one.key, one.at.isoformat(), one.body] for one in records]
    return json.dumps(fields, ensure_ascii=False)


def _unpack_records(text: str) -> tuple[Record, ...]:
    return tuple(
        Record(kind, key, datetime.fromisoformat(at), body)
        for kind, key, at, body in json.loads(text)
    )


def _record(kind: str, key: str, at: str, body: str) -> Record:
    content: dict[str, Any] = json.loads(body)
    return Record(kind, key, datetime.fromisoformat(at), content)
