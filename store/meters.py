"""What a plan says of energy beyond its meters' places: registers, exchanges, stocks, method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from store.db import Connection
from store.queries import query

_EVER = date(1900, 1, 1), date(9000, 1, 1)
_DAY = timedelta(days=1)

Register = Literal["import", "export", "tariff"]
Origin = Literal["purchased", "own_renewable", "own_produced"]
Equivalent = Literal["fixed", "by_year"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """From `at` on another meter or transformer counts; readings in units of its register."""

    at: datetime
    old_final: float
    new_initial: float
    # Primary units per register unit (CT x PT) of the new one.
    ratio: float


@dataclass(frozen=True, slots=True)
class Meter:
    """The register that a meter asset stands for; above is the code of the meter above it."""

    register: Register = "import"
    origin: Origin = "purchased"
    above: str | None = None


@dataclass(frozen=True, slots=True)
class EnergyStock:
    """Fuel in stock at the start of a local day, in the carrier's unit."""

    carrier: str
    day: date
    quantity: float
    source: str


@dataclass(frozen=True, slots=True)
class EnergyPlan:
    """How the energy of a factory adds up; meters and exchanges by asset."""

    meters: Mapping[int, Meter] = field(default_factory=dict)
    exchanges: Mapping[int, tuple[Exchange, ...]] = field(default_factory=dict)
    stocks: tuple[EnergyStock, ...] = ()
    equivalent: Equivalent = "fixed"

    def meter(self, asset_id: int) -> Meter:
        """Return what the meter of an asset counts; by default what the site bought."""
        return self.meters.get(asset_id, Meter())


def energy_plan(conn: Connection, factory_id: int) -> EnergyPlan:
    """Return what a factory's plan says of its energy, inside the caller's transaction."""
    key = {"factory_id": factory_id}
    method = conn.execute(query("get_energy_method"), key).fetchone()
    return EnergyPlan(
        meters={row[0]: Meter(*row[1:]) for row in conn.execute(query("list_meters"), key)},
        exchanges=_exchanges(conn, factory_id),
        stocks=tuple(EnergyStock(*row) for row in conn.execute(query("list_energy_stocks"), key)),
        equivalent=method[0] if method else "fixed",
    )


@dataclass(frozen=True, slots=True)
class EnergyState:
    """All that a stored plan says of energy, for comparison with the next one."""

    plan: EnergyPlan
    factors: tuple[tuple[Any, ...], ...]


def energy_state(conn: Connection, factory_id: int) -> EnergyState:
    """Return what is stored, inside the caller's transaction."""
    factors = conn.execute(query("list_energy_factors"), {"factory_id": factory_id}).fetchall()
    return EnergyState(energy_plan(conn, factory_id), tuple(factors))


def load_energy(
    conn: Connection, factory_id: int, plan: Mapping[str, Any], before: EnergyState
) -> None:
    """Store what a checked plan says of its energy, inside the caller's transaction.

    Where it says other things than before, the hours behind changed exchanges are marked for the
    fact job, and for the figure job the months that have figures, from the date of the change on.
    """
    owner = {"factory_id": factory_id}
    conn.execute(query("delete_energy_lists"), owner)
    exchanges = [
        dict(exchange) | owner | {"asset": asset["code"]}
        for asset in plan["assets"]
        for exchange in (asset.get("meter") or {}).get("exchanges") or ()
    ]
    stocks = [dict(stock) | owner for stock in plan.get("energy_stocks") or ()]
    for name, rows in (("insert_meter_exchange", exchanges), ("insert_energy_stock", stocks)):
        if rows:
            conn.cursor().executemany(query(name), rows)
    if plan.get("electricity_equivalent"):
        method = owner | {"equivalent": plan["electricity_equivalent"]}
        conn.execute(query("insert_energy_method"), method)
    after = energy_state(conn, factory_id)
    _mark_changed(conn, before.plan.exchanges, after.plan.exchanges)
    if before != after:
        first = touched_since(before, after).replace(day=1)
        values = owner | {"first": first, "end": _EVER[1]}
        conn.execute(query("mark_formed_months_between"), values)


def touched_since(before: EnergyState, after: EnergyState) -> date:
    """Return the first day whose month another plan of energy touches; years without a date ago.

    Later months rest on earlier ones, such as a saving on its baseline, earlier ones on no later.
    """
    old, new = before.plan, after.plan
    if (old.meters, old.equivalent) != (new.meters, new.equivalent):
        return _EVER[0]
    # What was in stock on a day ends the month before; an exchange may lie in it by local time.
    days = [stock.day - _DAY for stock in {*old.stocks} ^ {*new.stocks}]
    for asset_id in {*old.exchanges, *new.exchanges}:
        mine, other = (set(plan.exchanges.get(asset_id, ())) for plan in (old, new))
        days += [exchange.at.date() - _DAY for exchange in mine ^ other]
    return min([*days, *_factor_days(before.factors, after.factors)], default=_EVER[0])


def _factor_days(before: Sequence[tuple[Any, ...]], after: Sequence[tuple[Any, ...]]) -> list[date]:
    """Return from when on factors differ; one that only ends on another day, from the earlier."""
    ends = [{row[:-1]: row[-1] or _EVER[1] for row in rows} for rows in (before, after)]
    found = []
    for said in {*ends[0], *ends[1]}:
        either = [each[said] for each in ends if said in each]
        if len(either) == 1:
            found.append(said[-1] or _EVER[0])
        elif either[0] != either[1]:
            found.append(min(either))
    return found


def _exchanges(conn: Connection, factory_id: int) -> dict[int, tuple[Exchange, ...]]:
    found: dict[int, tuple[Exchange, ...]] = {}
    for asset_id, *row in conn.execute(
        query("list_meter_exchanges"), {"factory_id": factory_id}
    ).fetchall():
        found[asset_id] = (*found.get(asset_id, ()), Exchange(*row))
    return found


def _mark_changed(
    conn: Connection,
    before: Mapping[int, Sequence[Exchange]],
    after: Mapping[int, Sequence[Exchange]],
) -> None:
    for asset_id in sorted({*before, *after}):
        changed = set(before.get(asset_id, ())) ^ set(after.get(asset_id, ()))
        if changed:
            first = min(exchange.at for exchange in changed)
            conn.execute(query("mark_exchanged_hours"), {"asset_id": asset_id, "at": first})
