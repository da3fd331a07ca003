"""Facts whose rows are no longer kept: a hash taken when they became final holds them."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import store
from kpi.calendar import local_midnight
from kpi.provenance.basis import Problem
from store import provenance, registry, retention
from store.registry import Factory

_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)


def note(conn: store.Connection, factory: Factory) -> Iterator[str]:
    """Yield what an audit cannot compare with rows any more."""
    known = retention.horizon(conn, factory.factory_id)
    if known is not None:
        yield (
            f"{factory.code}: what was formed of days before {known.final_until} is final, rows "
            f"before {known.rows_from:%Y-%m-%d} are no longer kept; facts were compared with their "
            "seal, figures with their own hash"
        )


def check(conn: store.Connection, factory: Factory) -> Iterator[Problem]:
    """Yield the sealed spans whose facts are not those that were sealed."""
    for seal in retention.seals(conn, factory.factory_id):
        span = seal.final_from, seal.final_until
        count, sha256 = sealed_facts(conn, factory, *span, seal.columns)
        if (count, sha256) != (seal.fact_count, seal.facts_sha256):
            where = f"facts of {factory.code} before {seal.final_until}"
            said = f"{where} are not those that were sealed when their rows were dropped"
            if count != seal.fact_count:
                said += f": {seal.fact_count} then, {count} now"
            yield Problem("seal", where, said)


def sealed_facts(
    conn: store.Connection,
    factory: Factory,
    since: date | None,
    until: date,
    columns: Sequence[str],
) -> tuple[int, bytes]:
    """Return how many facts some local days have, and the hash over some of their columns."""
    zone = factory.timezone
    start = _BEGINNING if since is None else local_midnight(since, zone)
    end = local_midnight(until, zone)
    count, sha256 = 0, hashlib.sha256()
    assets = registry.monitoring_plan(conn, factory).assets
    for asset_id in sorted(asset.asset_id for asset in assets):
        found = provenance.stored_facts(conn, asset_id, start, end)
        if len(found["hour_us"]):
            count += len(found["hour_us"])
            sha256.update(asset_id.to_bytes(4, "big"))
            for name in ("hour_us", *columns):
                sha256.update(found[name].tobytes())
    return count, sha256.digest()
