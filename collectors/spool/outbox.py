"""The outlet of the spool: batches are cut, signed and chained here, and leave when acknowledged.

A batch is cut in one transaction and kept byte for byte until the database has answered. A crash
in between sends the same sequence number and hash again, which the database knows. So there is
never more than one batch cut and unanswered, and what waits behind it may still be dropped.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from collectors import status
from collectors.errors import SpoolDamaged
from collectors.sample import Refused, now_us
from collectors.spool import blocks, bounds
from collectors.spool.blocks import Block, BlockDamaged
from collectors.spool.file import add_counts, open_file, transaction
from collectors.spool.packing import (
    Span,
    collected_us,
    covering,
    indexed,
    moment,
    pack_records,
    pack_tags,
    record_fields,
    record_of,
    unpack_records,
    unpack_rows,
)
from store.batches import Batch
from store.canonical import Record, Rows, canonical_bytes, chain_hash, unique_sorted

# What a batch says of when its rows arrived is as exact as this, also after a long outage.
_MOST_SPAN_US = 60_000_000
_EVER_US = 1 << 62
_NOT_IN_PLAN = -1
_MOST_SHOWN = 4096  # characters of lost records in a note


@dataclass(slots=True)
class Signer:
    """Who cuts batches: the gateway's name, the version of its file, and its signature.

    imported marks batches whose content comes from files of the past.
    """

    gateway: str
    config_version: str
    sign: Callable[[bytes], bytes]
    imported: bool = False


class Outbox:
    """Takes batches out of the spool, one at a time and in order."""

    def __init__(self, path: Path, signer: Signer) -> None:
        self._conn = open_file(path)
        self._signer = signer
        self._tag_ids = self._read_tag_ids()

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._conn.close()

    # --- tags -----------------------------------------------------------------------------------

    def learn_tags(self, tag_ids: dict[str, int]) -> None:
        """Keep the numbers by which the database knows tags; one that it forgot loses its own."""
        with transaction(self._conn):
            known = dict(self._conn.execute("SELECT name, tag_id FROM tag"))
            changed = [(tag_ids.get(name), name) for name, old in known.items()]
            changed = [one for one in changed if one[0] != known[one[1]]]
            self._conn.executemany("UPDATE tag SET tag_id = ? WHERE name = ?", changed)
            new = [(name, number) for name, number in tag_ids.items() if name not in known]
            self._conn.executemany("INSERT INTO tag (name, tag_id) VALUES (?, ?)", new)
            query = "SELECT 1 FROM held_tag JOIN tag USING (tag_index) WHERE tag_id IS NOT NULL"
            if self._conn.execute(query).fetchone() is not None:
                blocks.release(self._conn)
        self._tag_ids = self._read_tag_ids()

    def unknown_tags(self) -> list[str]:
        """Return the tags whose rows wait for the database's plan, as far as a cut met them."""
        query = "SELECT name FROM held_tag JOIN tag USING (tag_index) ORDER BY name"
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
            "clock_skew_s, collected_from_us, collected_to_us FROM batch"
        ).fetchone()
        if row is None:
            return None
        seq, version, row_data, records, prev, sha256, signature, skew_s, *collected = row
        batch = Batch(
            gateway=self._signer.gateway,
            seq=seq,
            config_version=version,
            rows=unpack_rows(row_data),
            records=unpack_records(records),
            prev_sha256=prev,
            sha256=sha256,
            signature=signature,
            clock_skew_s=skew_s,
            imported=self._signer.imported,
            collected_from=moment(collected[0]),
            collected_to=moment(collected[1]),
        )
        if chain_hash(prev, canonical_bytes(batch.rows, batch.records)) != sha256:
            raise SpoolDamaged(f"batch {seq} in the spool does not match its hash")
        return batch

    def give_up_damaged(self) -> None:
        """Let go of a batch that outstanding found damaged, and note its rows as lost."""
        with transaction(self._conn):
            seq, prev, data, records = self._conn.execute(
                "SELECT seq, prev_sha256, row_data, records FROM batch"
            ).fetchone()
            rows = len(data) // blocks.ROW_BYTES
            text = json.dumps({"seq": seq, "rows": rows, "records": records[:_MOST_SHOWN]})
            bounds.insert_note(self._conn, "a batch was lost in the damaged spool file", text)
            self._conn.execute("DELETE FROM batch")
            self._conn.execute("UPDATE chain SET seq = ?, sha256 = ?", (seq - 1, prev))

    def cut(self, most: int, clock_skew_s: float | None) -> Batch | None:
        """Cut the next batch, most records and rows in all, oldest first; None when none wait.

        What is in one batch arrived within a minute. Of two different values for one tag and time
        the later waits for the next batch, so that the database sees the conflict. Rows of tags
        that are not in the plan stay. Where rows were dropped, their tags get a row that says so.
        """
        with transaction(self._conn):
            until_us = self._oldest_us() + _MOST_SPAN_US
            if until_us >= now_us():
                # All of it came within the minute: what bears a later time came before the clock
                # was set back, and would wait until that time comes.
                until_us = _EVER_US
            records, spans = self._take_records(most, until_us)
            taken = self._take_blocks(most - len(records), until_us, is_first=not records)
            spans += [(block.arrived_from_us, block.arrived_to_us) for block in taken]
            marks = self._take_marks(most - len(records) - sum(len(one.rows) for one in taken))
            rows = self._ordered(marks, taken)
            if len(rows) == 0 and not records:
                return None
            return self._insert_batch(rows, records, clock_skew_s, covering(spans))

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
            query = "SELECT tags FROM batch WHERE seq = ?"
            (tags,) = self._conn.execute(query, (batch.seq,)).fetchone()
            block = Block(*collected_us(batch), indexed(batch.rows, tags))
            self._put_back(block, batch.records)
            self._remove(batch)

    def set_aside(self, batch: Batch, reason: str) -> None:
        """Keep a batch that is refused for good out of the way, and take its number back."""
        with transaction(self._conn):
            self._conn.execute(
                "INSERT INTO aside (set_at_us, seq, reason, row_count, row_data, records, tags, "
                "collected_from_us, collected_to_us) SELECT ?, seq, ?, ?, row_data, records, tags, "
                "collected_from_us, collected_to_us FROM batch",
                (now_us(), reason, len(batch.rows) + len(batch.records)),
            )
            self._remove(batch)

    def take_back(self) -> tuple[int, int]:
        """Put all that was set aside back in front; return how many rows and records it was."""
        rows = records = 0
        query = (
            "SELECT row_data, records, tags, collected_from_us, collected_to_us FROM aside "
            "ORDER BY aside_id DESC"
        )
        with transaction(self._conn):
            # The newest first, since each goes in front of the others.
            for data, text, tags, since_us, until_us in self._conn.execute(query).fetchall():
                span = (since_us or now_us(), until_us or now_us())
                block, back = Block(*span, indexed(unpack_rows(data), tags)), unpack_records(text)
                self._put_back(block, back)
                rows, records = rows + len(block.rows), records + len(back)
            self._conn.execute("DELETE FROM aside")
        return rows, records

    # --- what a person must see -------------------------------------------------------------------

    def quarantined(self, most: int) -> list[tuple[int, str, Refused]]:
        """Return (number, source, what) of the oldest entries that the database has not got."""
        if self._conn.execute("SELECT 1 FROM lost LIMIT 1").fetchone() is not None:
            with transaction(self._conn):
                bounds.note_gaps(self._conn)
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

    def _read_tag_ids(self) -> npt.NDArray[np.int32]:
        """Return the database's number of each tag by its index here, or _NOT_IN_PLAN."""
        known = self._conn.execute("SELECT tag_index, tag_id FROM tag").fetchall()
        found = np.full(max((row[0] for row in known), default=0) + 1, _NOT_IN_PLAN, np.int32)
        for tag_index, tag_id in known:
            found[tag_index] = _NOT_IN_PLAN if tag_id is None else tag_id
        return found

    def _ids_of(self, rows: Rows) -> npt.NDArray[np.int32]:
        if len(rows) and rows.tag_id.max() >= len(self._tag_ids):
            self._tag_ids = self._read_tag_ids()
        ids: npt.NDArray[np.int32] = self._tag_ids[rows.tag_id]
        return ids

    def _oldest_us(self) -> int:
        """Return when the oldest of what waits arrived, in µs since 1970 UTC."""
        queries = (
            "SELECT arrived_from_us FROM block ORDER BY block_id LIMIT 1",
            "SELECT arrived_us FROM record ORDER BY record_id LIMIT 1",
        )
        found = [self._conn.execute(query).fetchone() for query in queries]
        return min((row[0] for row in found if row is not None), default=0)

    def _take_blocks(self, most: int, until_us: int, *, is_first: bool) -> list[Block]:
        """Take the oldest rows whose tags are in the plan; of the others, hold those in between."""
        taken: list[Block] = []
        held: list[tuple[int, Block]] = []
        query = "SELECT block_id, arrived_to_us FROM block ORDER BY block_id LIMIT ?"
        for block_id, arrived_us in self._conn.execute(query, (most,)).fetchall():
            # A block whose clock jumped meanwhile has a long span of its own; it goes alone.
            if most <= 0 or (arrived_us > until_us and not is_first):
                break
            is_first = False
            try:
                block = blocks.take(self._conn, "block", block_id)
            except BlockDamaged as damage:
                blocks.tell_damage(self._conn, damage)
                continue
            known = self._ids_of(block.rows) != _NOT_IN_PLAN
            places = np.flatnonzero(known)
            end = len(known) if len(places) <= most else int(places[most])
            blocks.replace(self._conn, block_id, block.take(slice(end, None)))
            if end > len(places[:most]):
                held.append((block_id, block.take(slice(0, end)).take(~known[:end])))
            if len(places):
                taken.append(block.take(places[:most]))
            most -= len(places[:most])
        self._hold(held)
        return taken

    def _hold(self, held: list[tuple[int, Block]]) -> None:
        """Keep rows of one cut together, so that many small blocks do not pile up."""
        span = covering([(one.arrived_from_us, one.arrived_to_us) for _, one in held])
        if span is not None:
            rows = blocks.concatenated([one.rows for _, one in held])
            blocks.hold(self._conn, held[0][0], Block(*span, rows))

    def _take_marks(self, most: int) -> Rows:
        """Return one row for each tag that has lost rows, under its index here."""
        query = (
            "SELECT tag_index, ts_us FROM mark JOIN tag USING (tag_index) "
            "WHERE tag_id IS NOT NULL ORDER BY tag_index LIMIT ?"
        )
        found = self._conn.execute(query, (most,)).fetchall()
        delete = "DELETE FROM mark WHERE tag_index = ?"
        self._conn.executemany(delete, [(tag_index,) for tag_index, _ in found])
        return Rows(
            np.array([row[0] for row in found], np.int32),
            np.array([row[1] for row in found], np.int64),
            np.full(len(found), np.nan),
            np.full(len(found), status.BAD_DATA_LOST, np.int32),
        )

    def _ordered(self, marks: Rows, taken: list[Block]) -> Rows:
        """Return rows under the database's numbers, in its order; a rival value goes back."""
        rows = blocks.concatenated([marks, *(block.rows for block in taken)])
        numbered = Rows(self._ids_of(rows), rows.ts_us, rows.value, rows.status)
        ordered, left_over = unique_sorted(numbered)
        if len(left_over):
            span = covering([(one.arrived_from_us, one.arrived_to_us) for one in taken])
            back = indexed(left_over, pack_tags(left_over, self._tag_ids))
            blocks.put_in_front(self._conn, Block(*(span or (now_us(), now_us())), back))
        return ordered

    def _take_records(self, most: int, until_us: int) -> tuple[tuple[Record, ...], list[Span]]:
        query = (
            "SELECT record_id, kind, key, at, body, arrived_us FROM record "
            "ORDER BY record_id LIMIT ?"
        )
        # None overtakes another: the version that leaves last counts.
        waiting = self._conn.execute(query, (most,))
        found = list(takewhile(lambda row: row[5] <= until_us, waiting))
        waiting.close()
        delete = "DELETE FROM record WHERE record_id = ?"
        self._conn.executemany(delete, [(row[0],) for row in found])
        add_counts(self._conn, [("waiting_records", -len(found))])
        return tuple(record_of(*row[1:5]) for row in found), [(row[5], row[5]) for row in found]

    def _insert_batch(
        self,
        rows: Rows,
        records: tuple[Record, ...],
        clock_skew_s: float | None,
        collected: Span | None,
    ) -> Batch:
        seq, prev = self.last()
        row_data = canonical_bytes(rows)
        sha256 = chain_hash(prev, row_data + canonical_bytes(Rows.empty(), records))
        # When a file of the past was read says nothing of when its rows were collected.
        known = None if self._signer.imported else collected
        since_us, until_us = known or (None, None)
        batch = Batch(
            gateway=self._signer.gateway,
            seq=seq + 1,
            config_version=self._signer.config_version,
            rows=rows,
            records=records,
            prev_sha256=prev,
            sha256=sha256,
            signature=self._signer.sign(sha256),
            clock_skew_s=clock_skew_s,
            imported=self._signer.imported,
            collected_from=moment(since_us),
            collected_to=moment(until_us),
        )
        tags = pack_tags(rows, self._tag_ids)
        self._conn.execute(
            "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(batch.seq, batch.config_version, row_data, pack_records(records), tags),
                *(prev, sha256, batch.signature, clock_skew_s, since_us, until_us),
            ),
        )
        self._conn.execute("UPDATE chain SET seq = ?, sha256 = ?", (batch.seq, sha256))
        return batch

    def _remove(self, batch: Batch) -> None:
        self._conn.execute("DELETE FROM batch WHERE seq = ?", (batch.seq,))
        back = (batch.seq - 1, batch.prev_sha256)
        self._conn.execute("UPDATE chain SET seq = ?, sha256 = ?", back)

    def _put_back(self, block: Block, records: Sequence[Record]) -> None:
        blocks.put_in_front(self._conn, block)
        query = "SELECT coalesce(min(record_id), 1) FROM record"
        first = int(self._conn.execute(query).fetchone()[0]) - len(records)
        self._conn.executemany(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)",
            [
                (first + place, *record_fields(one), block.arrived_to_us)
                for place, one in enumerate(records)
            ],
        )
        add_counts(self._conn, [("waiting_records", len(records))])
