"""What the pool's pages and its API show: each a single statement, so that it is one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from store.db import Connection, transaction
from store.figures import Change
from store.queries import query
from store.registry import Factory


@dataclass(frozen=True, slots=True)
class Region:
    """A county or a development zone of the city."""

    code: str
    name_zh: str
    name_en: str


class KpiStanding(NamedTuple):
    """The two verdicts on one KPI; fulfilment 1 is as promised."""

    kpi: str
    fulfilment: float | None
    fulfilment_verdict: str
    consistency_verdict: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A factory with its verdicts on the newest rolling year that was decided, by KPI."""

    factory: Factory
    received_at: datetime | None
    period_start: date | None
    period_end: date | None
    kpis: tuple[KpiStanding, ...]


@dataclass(frozen=True, slots=True)
class RollingYear:
    """Twelve local months, half-open."""

    period_start: date
    period_end: date


@dataclass(frozen=True, slots=True)
class Compared:
    """One KPI of one rolling year beside its promise and its report, in the figure's unit.

    Without a figure all from `point` to `key_equipment` is None, which only OEE has; without a
    verdict all from `fulfilment` on.
    """

    kpi: str
    before_value: float | None
    before_basis: str | None
    expected_value: float | None
    reported_value: float | None
    figure_id: int | None
    point: float | None
    low: float | None
    high: float | None
    coverage: float | None
    grade: str | None
    reason: str | None
    revision: int | None
    method_version: str | None
    coefficient_version: str | None
    computed_at: datetime | None
    # How much of the registered key equipment the figure speaks for, and what it leaves out.
    key_equipment: dict[str, Any] | None
    fulfilment: float | None
    fulfilment_low: float | None
    fulfilment_high: float | None
    fulfilment_verdict: str | None
    deviation: float | None
    consistency_verdict: str | None
    decided_at: datetime | None
    policy_version: str | None
    reasons: list[dict[str, str | None]] | None


@dataclass(frozen=True, slots=True)
class LiveTag:
    """A tag with its newest row; without one, `ts`, `value` and `status` are None."""

    name: str
    asset: str
    asset_zh: str
    asset_en: str
    role: str
    unit: str
    heartbeat_s: int
    ts: datetime | None
    value: float | None
    status: int | None
    state: str | None


_FACTORY_FIELDS = 14


def regions(conn: Connection) -> list[Region]:
    """Return the counties and zones in the order of their codes."""
    with transaction(conn):
        return [Region(*row) for row in conn.execute(query("list_regions"))]


def standings(
    conn: Connection, *, factory: str | None = None, region: str | None = None
) -> list[Standing]:
    """Return the factories with their newest verdicts, in the order of the factories' codes."""
    values = {"factory": factory, "region": region}
    with transaction(conn):
        return [_standing(row) for row in conn.execute(query("pool_standings"), values)]


def _standing(row: tuple[Any, ...]) -> Standing:
    received_at, period_start, period_end, *columns = row[_FACTORY_FIELDS:]
    kpis = tuple(map(KpiStanding._make, zip(*columns, strict=True)))
    return Standing(Factory(*row[:_FACTORY_FIELDS]), received_at, period_start, period_end, kpis)


def rolling_years(conn: Connection, factory_id: int, *, most: int = 36) -> list[RollingYear]:
    """Return the rolling years that can be shown of a factory, newest first."""
    return [
        RollingYear(*row)
        for row in _all(conn, "rolling_years", {"factory_id": factory_id, "most": most})
    ]


def newest_decided_year(conn: Connection, factory_id: int) -> RollingYear | None:
    """Return the newest rolling year that a factory was judged on, or None before the first."""
    found = _all(conn, "newest_decided_year", {"factory_id": factory_id})
    return RollingYear(*found[0]) if found else None


def comparisons(conn: Connection, factory_id: int, year: RollingYear) -> list[Compared]:
    """Return what is known of each KPI in one rolling year, by KPI."""
    values = {
        "factory_id": factory_id,
        "period_start": year.period_start,
        "period_end": year.period_end,
    }
    return [Compared(*row) for row in _all(conn, "comparisons", values)]


def live_tags(conn: Connection, factory_id: int, *, most: int = 400) -> list[LiveTag]:
    """Return the newest row of each tag of a factory, by asset and name."""
    return [
        LiveTag(*row) for row in _all(conn, "live_tags", {"factory_id": factory_id, "most": most})
    ]


def newest_changes(conn: Connection, factory: Factory, *, most: int = 20) -> list[Change]:
    """Return the newest verdict changes and revised figures of a factory, newest first."""
    values = {"factory_id": factory.factory_id, "factory": factory.code, "most": most}
    return [Change(*row) for row in _all(conn, "newest_changes", values)]


def ping(conn: Connection) -> None:
    """Return when the database answers; raises StoreUnavailable when it does not."""
    _all(conn, "ping", {})


def _all(conn: Connection, name: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with transaction(conn):
        return conn.execute(query(name), values).fetchall()
