"""Plans, calendars and rows for the tests of the pure parts, written as a person would say them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from kpi.calendar import OFF, PLANNED, Calendar
from kpi.facts import AssetPlan, Window, asset_facts
from kpi.facts.basis import HOUR_US, Columns
from store.canonical import Rows
from store.registry import Asset, EnergyFactor, Factory, MonitoringPlan, PlannedStop, Shift, Tag

BAD = -(2**31)  # OPC UA StatusCode Bad, its 32 bits read as a signed integer
MINUTE_US = 60_000_000

# A Monday, 08:00 in Shanghai.
START = datetime(2026, 3, 2, tzinfo=UTC)
START_US = 1_772_409_600_000_000

STATE, PRODUCT, TOTAL, GOOD, REJECT, ENERGY, POWER, LINK, REWORK = range(1, 10)
_ROLES = {
    STATE: "state",
    PRODUCT: "product",
    TOTAL: "total_count",
    GOOD: "good_count",
    REJECT: "reject_count",
    ENERGY: "energy",
    POWER: "power",
    LINK: "link",
    REWORK: "rework_count",
}
IDLE, RUN, SETUP, STOPPED, PLANNED_DOWN = range(5)
STATES = {IDLE: "idle", RUN: "run", SETUP: "setup", STOPPED: "stop", PLANNED_DOWN: "planned_down"}


def tag(number: int, *, role: str | None = None, asset_id: int = 1, **fields: Any) -> Tag:
    """Return a tag with a heartbeat of 15 minutes."""
    given: dict[str, Any] = {
        "unit": "1",
        "heartbeat_s": 900,
        "modulus": None,
        "max_rate_per_s": None,
        "ratio": 1.0,
        "resolution": 0.0,
        "state_map": None,
    }
    role = role or _ROLES[number]
    return Tag(tag_id=number, asset_id=asset_id, name=f"T{number}", role=role, **given | fields)


def asset_plan(*tags: Tag, cycles: Mapping[int, float] | None = None) -> AssetPlan:
    """Return the plan of an asset with some tags; product 1 takes 60 s by default."""
    return AssetPlan(1, tags, STATES, {1: 60.0} if cycles is None else cycles)


# (minute, value) or (minute, value, status)
Row = tuple[Any, ...]


def rows(by_tag: Mapping[int, Sequence[Row]]) -> Rows:
    """Return rows given as (minute, value) or (minute, value, status); None is no value, bad."""
    found = [
        (number, START_US + round(row[0] * MINUTE_US), row[1], row[2] if len(row) > 2 else None)
        for number, each in by_tag.items()
        for row in each
    ]
    found.sort(key=lambda row: row[:2])
    return Rows(
        np.array([row[0] for row in found], np.int32),
        np.array([row[1] for row in found], np.int64),
        np.array([np.nan if row[2] is None else row[2] for row in found], np.float64),
        np.array(
            [row[3] if row[3] is not None else BAD if row[2] is None else 0 for row in found],
            np.int32,
        ),
    )


def steady(value: float, first: float, last: float, step: float = 15) -> list[Row]:
    """Return rows of one value every so many minutes, the last one included."""
    return [(minute, value) for minute in np.arange(first, last + 0.01, step).tolist()]


def rising(first: float, last: float, step: float, per_step: float, begin: float = 0) -> list[Row]:
    """Return the readings of a register that rises by the same amount each step of minutes."""
    minutes = np.arange(first, last + 0.01, step).tolist()
    return [(minute, begin + number * per_step) for number, minute in enumerate(minutes)]


def window(first_hour: int, hours: int) -> Window:
    """Return whole hours counted from START."""
    return Window(START_US + first_hour * HOUR_US, START_US + (first_hour + hours) * HOUR_US)


def planned(*spans: tuple[float, float]) -> Calendar:
    """Return a calendar that is planned in some spans of minutes, ascending, and off elsewhere."""
    at_us, kind = [START_US - 1000 * HOUR_US], [OFF]
    for begin, end in spans:
        at_us += [START_US + round(begin * MINUTE_US), START_US + round(end * MINUTE_US)]
        kind += [PLANNED, OFF]
    return Calendar(np.array(at_us, np.int64), np.array(kind, np.int64))


ALWAYS = planned((-30_000, 30_000))


def facts(
    plan: AssetPlan,
    by_tag: Mapping[int, Sequence[Row]],
    hours: int = 1,
    first_hour: int = 0,
    calendar: Calendar = ALWAYS,
) -> Columns:
    """Return the facts of some hours from START on."""
    return asset_facts(plan, rows(by_tag), calendar, window(first_hour, hours))


def factory(**fields: Any) -> Factory:
    """Return a factory in Shanghai time that was renovated on 2026-01-01."""
    given: dict[str, Any] = {
        "factory_id": 1,
        "code": "sample",
        "name_zh": "示例工厂",
        "name_en": "Sample plant",
        "enterprise_zh": "示例企业",
        "enterprise_en": "Sample enterprise",
        "region_code": "320613",
        "region_zh": "崇川区",
        "region_en": "Chongchuan",
        "kind": "discrete",
        "timezone": "Asia/Shanghai",
        "baseline_from": date(2025, 1, 1),
        "baseline_to": date(2026, 1, 1),
        "renovated_on": date(2026, 1, 1),
    }
    return Factory(**given | fields)


def asset(asset_id: int, kind: str = "machine", **fields: Any) -> Asset:
    """Return an asset that forms no figure unless the fields say so."""
    given: dict[str, Any] = {
        "code": f"A{asset_id:02}",
        "name_zh": f"示例设备{asset_id}",
        "name_en": f"Sample asset {asset_id}",
        "serial": None,
        "key_equipment": False,
        "in_oee": False,
        "carrier": None,
        "unit": None,
        "level": None,
    }
    return Asset(asset_id=asset_id, kind=kind, **given | fields)


def monitoring_plan(
    *,
    shifts: Sequence[Shift] = (),
    holidays: Sequence[date] = (),
    stops: Sequence[PlannedStop] = (),
    assets: Sequence[Asset] = (),
    tags: Sequence[Tag] = (),
    cycles: Mapping[int, Mapping[int, float]] | None = None,
    energy_factors: Sequence[EnergyFactor] = (),
    **fields: Any,
) -> MonitoringPlan:
    """Return a plan; further fields are those of its factory."""
    return MonitoringPlan(
        factory=factory(**fields),
        assets=tuple(assets),
        tags=tuple(tags),
        state_maps={},
        ideal_cycle_s={number: dict(each) for number, each in (cycles or {}).items()},
        shifts=tuple(shifts),
        holidays=frozenset(holidays),
        planned_stops=tuple(stops),
        energy_factors=tuple(energy_factors),
    )


def shift(weekday: int, starts: str, hours: float, name: str = "早班") -> Shift:
    """Return a shift of the weekly pattern; Monday is 1."""
    return Shift(weekday, name, time.fromisoformat(starts), round(hours * 3600))


def stop(starts_at: datetime, hours: float, asset_id: int | None = None) -> PlannedStop:
    """Return a stop that was filed in time."""
    return PlannedStop(asset_id, starts_at, starts_at + timedelta(hours=hours))
