"""What a gateway could not take, read from its spool and from that of its imports."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from collectors.config.file import GatewayConfig
from collectors.errors import SpoolError
from collectors.history.gateway import import_gateway
from collectors.sample import from_us
from collectors.spool.file import open_for_reading


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One entry; is_sent says whether the database has a copy."""

    seen_at: datetime
    source: str
    reason: str
    payload: str
    is_sent: bool


def refused(config: GatewayConfig, most: int) -> list[Quarantined]:
    """Return the newest entries, newest first; raises SpoolError where the gateway never ran."""
    own = import_gateway(config)
    found: list[Quarantined] = []
    if own.spool_path.exists():
        found += _entries(own, most)
    try:
        found += _entries(config, most)
    except SpoolError:
        if not own.spool_path.exists():
            raise
    return sorted(found, key=lambda one: one.seen_at, reverse=True)[:most]


def _entries(config: GatewayConfig, most: int) -> list[Quarantined]:
    query = (
        "SELECT seen_at_us, source, reason, payload, sent FROM quarantined "
        "ORDER BY quarantined_id DESC LIMIT ?"
    )
    with closing(open_for_reading(config.spool_path)) as conn:
        return [
            Quarantined(from_us(seen_us), source, reason, payload, bool(sent))
            for seen_us, source, reason, payload, sent in conn.execute(query, (most,))
        ]
