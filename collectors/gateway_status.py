"""How a gateway is doing, read from its spool file, whether it runs or not."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from collectors.config.file import GatewayConfig
from collectors.errors import SpoolError
from collectors.sample import from_us
from collectors.sink.clock import clock_path, kept_offset_s
from collectors.spool.file import is_in_use, open_for_reading, used_bytes


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source: up, down or starting, since when, and when it last gave something good."""

    name: str
    state: str
    since: datetime
    last_good: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """What waits, what left, and what was lost or kept back; counts since the spool was made.

    clock_ahead_s is how far this machine's clock was ahead of the city's when last seen.

    Where the gateway is not running, the states of its sources are those of its end.
    """

    gateway: str
    is_running: bool
    backlog_rows: int
    backlog_records: int
    oldest_waiting: datetime | None
    unknown_tags: tuple[str, ...]
    last_acknowledged_seq: int
    rows_sent: int
    records_sent: int
    dropped_rows: int
    dropped_records: int
    quarantined: int
    batches_aside: int
    spool_bytes: int
    spool_max_bytes: int
    clock_ahead_s: float | None
    sources: tuple[SourceStatus, ...]


def status(config: GatewayConfig) -> GatewayStatus:
    """Return the state of a gateway; raises SpoolError where it has not run or is damaged."""
    conn = open_for_reading(config.spool_path)
    try:
        conn.execute("BEGIN")
        counts: dict[str, int] = dict(conn.execute("SELECT name, value FROM counter"))
        (oldest_us,) = conn.execute(
            "SELECT min(arrived_us) FROM (SELECT min(arrived_from_us) AS arrived_us FROM block "
            "UNION ALL SELECT min(arrived_from_us) FROM held "
            "UNION ALL SELECT min(arrived_us) FROM record)"
        ).fetchone()
        (aside,) = conn.execute("SELECT count(*) FROM aside").fetchone()
        cut = conn.execute(
            "SELECT length(row_data) / 24, json_array_length(records) FROM batch"
        ).fetchone()
        unknown = conn.execute(
            "SELECT name FROM held_tag JOIN tag USING (tag_index) ORDER BY name"
        ).fetchall()
        sources = conn.execute(
            "SELECT name, state, since_us, last_good_us, reason FROM source ORDER BY rowid"
        ).fetchall()
        return GatewayStatus(
            gateway=config.gateway.id,
            is_running=is_in_use(config.spool_path),
            backlog_rows=counts.get("waiting_rows", 0) + (cut[0] if cut else 0),
            backlog_records=counts.get("waiting_records", 0) + (cut[1] if cut else 0),
            oldest_waiting=None if oldest_us is None else from_us(oldest_us),
            unknown_tags=tuple(name for (name,) in unknown),
            last_acknowledged_seq=conn.execute("SELECT acked FROM chain").fetchone()[0],
            rows_sent=counts.get("rows_sent", 0),
            records_sent=counts.get("records_sent", 0),
            dropped_rows=counts.get("dropped_rows", 0),
            dropped_records=counts.get("dropped_records", 0),
            quarantined=counts.get("refused", 0),
            batches_aside=aside,
            spool_bytes=used_bytes(conn),
            spool_max_bytes=int(config.spool.max_mb * 1e6),
            clock_ahead_s=kept_offset_s(clock_path(config)),
            sources=tuple(_source(row) for row in sources),
        )
    except sqlite3.Error as error:
        raise SpoolError(
            f"the spool {config.spool_path} cannot be read: {error}; where it is damaged, a start "
            "of the gateway carries over what can be read"
        ) from error
    finally:
        conn.close()


def _source(row: tuple[str, str, int, int | None, str | None]) -> SourceStatus:
    name, state, since_us, last_good_us, reason = row
    last_good = None if last_good_us is None else from_us(last_good_us)
    return SourceStatus(name, state, from_us(since_us), last_good, reason)
