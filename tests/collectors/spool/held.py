"""What tests put into a spool and see in it."""

import struct
from datetime import UTC, datetime
from pathlib import Path

from collectors.sample import Delivery, Sample
from collectors.spool.bounds import Bounds
from collectors.spool.file import open_for_reading
from collectors.spool.outbox import Outbox, Signer
from collectors.spool.spool import Spool
from collectors.status import BAD_TIMEOUT, GOOD
from store.batches import Batch

WIDE = Bounds(max_bytes=100_000_000, max_age_s=1e12)
IDS = {"A": 11, "B": 12, "C": 13}
AT = datetime(2026, 3, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def make_outbox(path: Path) -> Outbox:
    return Outbox(path, Signer("gw", "v1", lambda sha256: b"signed " + sha256))


def samples(tag: str, *rows: tuple[int, float | None]) -> Delivery:
    return Delivery(
        samples=[
            Sample(tag, ts, value, BAD_TIMEOUT if value is None else GOOD) for ts, value in rows
        ]
    )


def rows_of(batch: Batch | None) -> list[tuple[int, int, float | None, int]]:
    assert batch is not None
    columns = (batch.rows.tag_id, batch.rows.ts_us, batch.rows.value, batch.rows.status)
    found = zip(*(column.tolist() for column in columns), strict=True)
    return [(tag, ts, None if value != value else value, code) for tag, ts, value, code in found]


def waiting(path: Path) -> list[tuple[str, int, float | None, int]]:
    conn = open_for_reading(path)
    try:
        names: dict[int, str] = dict(conn.execute("SELECT tag_index, name FROM tag"))
        found = [
            row
            for table in ("held", "block")
            for (data,) in conn.execute(f"SELECT row_data FROM {table} ORDER BY block_id")
            for row in struct.iter_unpack("<iqdi", data)
        ]
        ((counted,),) = conn.execute("SELECT value FROM counter WHERE name = 'waiting_rows'")
        assert counted == len(found)
    finally:
        conn.close()
    return [
        (names[tag], ts_us, None if value != value else value, code)
        for tag, ts_us, value, code in found
    ]


def count(path: Path, name: str) -> int:
    conn = open_for_reading(path)
    try:
        row = conn.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])
    finally:
        conn.close()


def put(spool: Spool, *deliveries: Delivery) -> None:
    spool.append(spool.unseen([("src", delivery) for delivery in deliveries]))


def drain(outbox: Outbox) -> list[tuple[int, int, float | None, int]]:
    """Cut and acknowledge all that waits."""
    found = []
    while (batch := outbox.cut(5_000, None)) is not None:
        found += rows_of(batch)
        outbox.acknowledge(batch)
    return found
