"""Dropping raw rows whose facts are final, after everything was worked out from them once more.

What stays is the ledger with hash, chain and signature of every batch, the facts, which are sealed
by a hash, and the figures. From then on nothing forms the facts and figures of that time again, and
an audit says that it compared them with their seal instead of with rows.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import store
from kpi.calendar import add_months, local_midnight
from kpi.errors import NotFinal
from kpi.facts.reach import NEIGHBOURS
from kpi.jobs.basis import last_full_hour
from kpi.provenance.audit import Tell, audit_factory
from kpi.provenance.seals import sealed_facts
from store import audit, facts, provenance, registry, retention
from store.acting import Actor

# Later hours follow from rows before them: those of over a month are kept beside what is final.
_MARGIN = timedelta(days=32)
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Cut:
    """What can be dropped: chunks, the time up to which, and the first day that is not final."""

    chunks: tuple[retention.Chunk, ...]
    rows_from: datetime
    final_until: date


def cut(conn: store.Connection, keep_days: int, now: datetime) -> Cut | None:
    """Return what is older than the days to keep, in whole chunks; None where nothing is."""
    found = retention.chunks(conn, now - timedelta(days=keep_days))
    if not found:
        return None
    rows_from = max(each.end for each in found)
    final_until = add_months((rows_from + _MARGIN).date().replace(day=1), 1)
    return Cut(tuple(found), rows_from, final_until)


def retire(
    conn: store.Connection, what: Cut, actor: Actor, now: datetime, tell: Tell | None = None
) -> None:
    """Verify all factories, seal what becomes final and drop its rows, all or nothing.

    Raises NotFinal with every reason why nothing was dropped, and StoreUnavailable while jobs hold
    what is to be sealed.
    """
    factories = registry.factories(conn)
    reasons = [reason for each in factories for reason in _reasons(conn, each, what, now, tell)]
    if reasons:
        raise NotFinal("\n".join(["nothing was dropped:", *reasons]))
    with store.transaction(conn):
        retention.hold_jobs(conn)
        for factory in factories:
            if _waits(conn, factory, what):
                raise NotFinal(f"nothing was dropped: data of {factory.code} came meanwhile")
            _seal(conn, factory, what, actor)
        names = retention.drop_rows(conn, what.rows_from)
        audit.note(
            conn,
            actor,
            "rows_dropped",
            kind="measurement",
            key=f"{what.rows_from:%Y-%m-%d}",
            after={"chunks": len(names), "final_until": what.final_until.isoformat()},
        )


def _reasons(
    conn: store.Connection,
    factory: registry.Factory,
    what: Cut,
    now: datetime,
    tell: Tell | None,
) -> list[str]:
    """Return why the rows of a factory may not go yet."""
    known = retention.horizon(conn, factory.factory_id)
    if known is not None and known.final_until >= what.final_until:
        return []
    if provenance.waits_for_figures(conn, factory.factory_id, last_full_hour(now)):
        return [f"{factory.code}: data wait for the jobs; run `millpond kpi refresh`"]
    end = local_midnight(what.final_until, factory.timezone)
    least = NEIGHBOURS
    if sparse := retention.sparse_tags(conn, factory.factory_id, what.rows_from, end, least):
        named = ", ".join(sparse[:_MOST_NAMED]) + (" …" if len(sparse) > _MOST_NAMED else "")
        return [
            f"{factory.code}: {named} said too little between {what.rows_from:%Y-%m-%d} and "
            f"{what.final_until} for later hours to follow without older rows; keep some days more"
        ]
    found = audit_factory(conn, factory, now, tell)
    return [f"{factory.code}: {each.said}" for each in found.problems[:_MOST_NAMED]]


def _waits(conn: store.Connection, factory: registry.Factory, what: Cut) -> bool:
    end = local_midnight(what.final_until, factory.timezone)
    return provenance.waits_for_figures(conn, factory.factory_id, end)


def _seal(conn: store.Connection, factory: registry.Factory, what: Cut, actor: Actor) -> None:
    known = retention.horizon(conn, factory.factory_id)
    since = None if known is None else known.final_until
    if since is not None and since >= what.final_until:
        return
    columns = tuple(facts.FACT_COLUMNS)
    count, sha256 = sealed_facts(conn, factory, since, what.final_until, columns)
    sealed = retention.Seal(since, what.final_until, what.rows_from, columns, count, sha256)
    retention.seal(conn, factory.factory_id, sealed, actor.name)
