"""Reading what a factory has and how it is to be read; enrolling gateways."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.errors import Refused, UnknownFactory
from store.meters import EnergyPlan, Exchange, energy_plan
from store.queries import query


@dataclass(frozen=True, slots=True)
class Factory:
    """A factory in the pool; the windows are local dates, half-open."""

    factory_id: int
    code: str
    name_zh: str
    name_en: str
    enterprise_zh: str
    enterprise_en: str
    region_code: str
    region_zh: str
    region_en: str
    kind: str
    timezone: str
    baseline_from: date
    baseline_to: date
    renovated_on: date


@dataclass(frozen=True, slots=True)
class Asset:
    """A machine, robot, meter or business system; carrier, unit and level belong to meters."""

    asset_id: int
    code: str
    name_zh: str
    name_en: str
    kind: str
    serial: str | None
    key_equipment: bool
    in_oee: bool
    carrier: str | None
    unit: str | None
    level: int | None
    line: str | None = None
    retrofitted_on: date | None = None
    retrofit_document: str | None = None
    # Where the machine itself answers in the plant's network.
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """One signal of one asset; ratio gives primary units per register unit.

    resolution is the least step of the register, in register units. After an exchange the
    ratio of the exchange holds.
    """

    tag_id: int
    asset_id: int
    name: str
    role: str
    unit: str
    heartbeat_s: int
    modulus: float | None
    max_rate_per_s: float | None
    ratio: float
    resolution: float
    state_map: str | None
    exchanges: tuple[Exchange, ...] = ()

    @property
    def largest_ratio(self) -> float:
        """Return the largest ratio that the register ever had."""
        return max([self.ratio, *(exchange.ratio for exchange in self.exchanges)])


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of the weekly pattern; weekday 1 is Monday."""

    weekday: int
    name: str
    starts: time
    duration_s: int


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A stop filed before it began; without an asset it holds for the whole factory."""

    asset_id: int | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class EnergyFactor:
    """A certified factor [kgce/unit], or else a measured heating value [kJ/unit].

    It holds in the months of [valid_from, valid_to); without a date it holds on that side for ever.
    """

    carrier: str
    kgce_per_unit: float | None
    source: str
    lhv_kj_per_unit: float | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a factory declares of a KPI from a day on, in the figure's unit."""

    kpi: str
    since: date
    value: float
    basis: str
    document: str


@dataclass(frozen=True, slots=True)
class Line:
    """A serial line: the machine that its units leave from, its bottleneck if named, and all."""

    code: str
    last_id: int
    bottleneck_id: int | None
    asset_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MonitoringPlan:
    """All that the KPI engine needs to know of one factory."""

    factory: Factory
    assets: tuple[Asset, ...]
    tags: tuple[Tag, ...]
    state_maps: dict[str, dict[int, str]]
    # Seconds per unit by asset and product.
    ideal_cycle_s: dict[int, dict[int, float]]
    shifts: tuple[Shift, ...]
    holidays: frozenset[date]
    planned_stops: tuple[PlannedStop, ...]
    energy_factors: tuple[EnergyFactor, ...]
    energy: EnergyPlan = field(default_factory=EnergyPlan)
    lines: tuple[Line, ...] = ()
    declarations: tuple[Declaration, ...] = ()


def register_gateway(
    conn: Connection,
    factory_code: str,
    gateway_code: str,
    public_key: bytes,
    *,
    actor: str = "unnamed",
) -> None:
    """Enrol a gateway of a factory with its 32-byte public key; a new key replaces the old.

    actor is who does it, for the record. Raises UnknownFactory, or Refused for a gateway that
    belongs to another factory.
    """
    values = {"factory": factory_code, "gateway": gateway_code, "public_key": public_key}
    with transaction(conn):
        factory_by_code(conn, factory_code)
        if conn.execute(query("upsert_gateway"), values).fetchone() is None:
            raise Refused(
                f"gateway {gateway_code} is enrolled at another factory; give this one a new id"
            )
        event = {
            "gateway": gateway_code,
            "action": "enrolled",
            "actor": actor,
            "detail": Jsonb({"factory": factory_code, "public_key": public_key.hex()}),
        }
        conn.execute(query("insert_gateway_event"), event)


def gateway_tags(conn: Connection, gateway_code: str) -> dict[str, int]:
    """Return tag numbers by name for an enrolled gateway; empty when it is not enrolled."""
    with transaction(conn):
        return dict(conn.execute(query("gateway_tags"), {"gateway": gateway_code}).fetchall())


def factories(conn: Connection) -> list[Factory]:
    """Return all factories in the order of their codes."""
    with transaction(conn):
        return [Factory(*row) for row in conn.execute(query("list_factories"))]


def some_factories(conn: Connection, factory_ids: Collection[int]) -> list[Factory]:
    """Return factories by their numbers, in the order of their codes."""
    values = {"factories": sorted(factory_ids)}
    with transaction(conn):
        return [Factory(*row) for row in conn.execute(query("some_factories"), values)]


def factory_by_code(conn: Connection, code: str) -> Factory:
    """Return a factory; raises UnknownFactory."""
    with transaction(conn):
        row = conn.execute(query("get_factory"), {"code": code}).fetchone()
    if row is None:
        raise UnknownFactory(f"no factory has the code {code}; load its plan first", code)
    return Factory(*row)


def monitoring_plan(conn: Connection, factory: Factory) -> MonitoringPlan:
    """Return the plan of a factory as one consistent reading."""
    key = {"factory_id": factory.factory_id}
    with transaction(conn):
        maps: dict[str, dict[int, str]] = {}
        for name, raw, state in conn.execute(query("list_state_maps"), key):
            maps.setdefault(name, {})[raw] = state
        cycles: dict[int, dict[int, float]] = {}
        for asset_id, product, cycle_s in conn.execute(query("list_ideal_cycles"), key):
            cycles.setdefault(asset_id, {})[product] = cycle_s
        energy = energy_plan(conn, factory.factory_id)
        tags = (Tag(*row) for row in conn.execute(query("list_tags"), key).fetchall())
        return MonitoringPlan(
            factory=factory,
            assets=tuple(Asset(*row) for row in conn.execute(query("list_assets"), key)),
            tags=tuple(_exchanged(tag, energy) for tag in tags),
            state_maps=maps,
            ideal_cycle_s=cycles,
            shifts=tuple(Shift(*row) for row in conn.execute(query("list_shifts"), key)),
            holidays=frozenset(day for (day,) in conn.execute(query("list_holidays"), key)),
            planned_stops=tuple(
                PlannedStop(*row) for row in conn.execute(query("list_planned_stops"), key)
            ),
            energy_factors=tuple(
                EnergyFactor(*row) for row in conn.execute(query("list_energy_factors"), key)
            ),
            energy=energy,
            lines=tuple(
                Line(code, last_id, bottleneck_id, tuple(asset_ids))
                for code, last_id, bottleneck_id, asset_ids in conn.execute(
                    query("list_lines"), key
                )
            ),
            declarations=tuple(
                Declaration(*row) for row in conn.execute(query("list_declarations"), key)
            ),
        )


def _exchanged(tag: Tag, energy: EnergyPlan) -> Tag:
    """Return a tag with the exchanges of its meter, which are those of its energy register."""
    exchanges = energy.exchanges.get(tag.asset_id)
    return replace(tag, exchanges=exchanges) if exchanges and tag.role == "energy" else tag
