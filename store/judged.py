"""What verdicts are given on: figures of some years, and marks to give them again."""

from collections.abc import Collection
from datetime import date

from store.db import Connection, transaction
from store.figures import Figure, PeriodKind, SelfReport, figure_of
from store.queries import query


def newest_figures(
    conn: Connection,
    factory_id: int,
    kind: PeriodKind,
    kpis: Collection[str],
    starts: Collection[date],
) -> list[Figure]:
    """Return the newest figures of some KPIs of the periods that begin on some days."""
    values = {
        "factory_id": factory_id,
        "period_kind": kind,
        "kpis": sorted(kpis),
        "starts": sorted(starts),
    }
    with transaction(conn):
        return [figure_of(row) for row in conn.execute(query("newest_figures"), values)]


def reports_of_years(
    conn: Connection, factory_id: int, kpis: Collection[str], starts: Collection[date]
) -> list[SelfReport]:
    """Return what a factory reported of some KPIs for periods that begin on some days."""
    values = {"factory_id": factory_id, "kpis": sorted(kpis), "starts": sorted(starts)}
    with transaction(conn):
        return [SelfReport(*row) for row in conn.execute(query("reports_of_years"), values)]


def kpis_with_promise(conn: Connection, factory_id: int) -> set[str]:
    """Return the KPIs of which a factory's verdicts name a promise, also one taken back since."""
    with transaction(conn):
        rows = conn.execute(query("kpis_with_promise"), {"factory_id": factory_id})
        return {kpi for (kpi,) in rows}


def has_other_policy(conn: Connection, factory_id: int, version: str) -> bool:
    """Tell whether a verdict of a factory was given by another policy than this version."""
    values = {"factory_id": factory_id, "version": version}
    with transaction(conn):
        row = conn.execute(query("has_other_policy"), values).fetchone()
    return row is not None and bool(row[0])


def mark(conn: Connection, factory_id: int) -> None:
    """Have the verdicts of a factory given again though no figure changed."""
    with transaction(conn):
        conn.execute(query("mark_verdicts"), {"factory_id": factory_id})


def take_marks(conn: Connection, factory_id: int) -> bool:
    """Take the marks of a factory's verdicts inside the caller's transaction; tell if any were."""
    key = {"factory_id": factory_id}
    return bool(conn.execute(query("take_verdict_marks"), key).fetchall())
