"""The fields of a monitoring plan: what each object has, and what may stand there."""

from collections.abc import Mapping
from typing import Any

from store.energy_carriers import UNITS
from store.plan_fields import (
    Check,
    between,
    clock,
    day,
    first_of_month,
    flag,
    moment,
    not_negative,
    number,
    one_of,
    optional,
    period,
    region,
    text,
    timezone,
    whole,
)
from store.plan_kpis import KPI_RANGES
from store.units import TAG_UNITS

_INT = 2**31 - 1
# From ten thousand units a second to one unit a week: beyond lies a cycle of zero or a wrong unit.
LEAST_CYCLE_S, MOST_CYCLE_S = 0.0001, 604_800.0

# Each quarter hour is the rule of energy monitoring, each hour what it tolerates; a longer hold of
# the last state would make it up.
MOST_STATE_HEARTBEAT_S = 3_600

STATES = ("run", "setup", "stop", "idle", "planned_down", "unknown")
FACTORY_KINDS = ("discrete", "process")
ASSET_KINDS = ("machine", "robot", "meter", "system")
REGISTERS = ("import", "export", "tariff")
ORIGINS = ("purchased", "own_renewable", "own_produced")
EQUIVALENTS = ("fixed", "by_year")
BASES = ("measured", "documented", "declared")
# Primary units per register unit: from a pulse of a large meter's fraction to CT x PT of a grid.
LEAST_RATIO, MOST_RATIO = 1e-6, 1e7
# Beyond lies no register and no rate of a machine or a meter.
LEAST_REGISTER, MOST_REGISTER = 1e-9, 1e18
# The rows of the effect table that a factory may declare where its data do not reach.
DECLARED_KPIS = ("retrofitted_lines", "retrofitted_equipment", "headcount", "rd_cycle")
# An asset has one tag a role at most: facts would not know which to take. Of process values,
# which form no fact, it may have many.
SINGLE_ROLES = (
    "state", "product", "total_count", "good_count", "reject_count", "rework_count", "energy",
    "power", "link",
)  # fmt: skip
ROLES = (*SINGLE_ROLES, "process")


def rows(value: Any) -> str | None:
    """Accept a list; its rows are checked apart."""
    return None if isinstance(value, list | tuple) else "must be a list"


def table(value: Any) -> str | None:
    """Accept an object; its fields are checked apart."""
    return None if isinstance(value, Mapping) else "must be an object"


PLAN: dict[str, Check] = {
    "factory": table,
    "enterprise": table,
    "state_maps": optional(table),
    "assets": rows,
    "energy_factors": optional(rows),
    "energy_stocks": optional(rows),
    "electricity_equivalent": optional(one_of(*EQUIVALENTS)),
    "lines": optional(rows),
    "shifts": rows,
    "holidays": optional(rows),
    "planned_stops": optional(rows),
    "promises": optional(rows),
    "declarations": optional(rows),
    "bills": optional(rows),
    "self_reports": optional(rows),
}
FACTORY: dict[str, Check] = {
    "code": text,
    "name_zh": text,
    "name_en": text,
    "kind": one_of(*FACTORY_KINDS),
    "region": region,
    "timezone": timezone,
    "baseline": period,
    "renovated_on": day,
}
ENTERPRISE: dict[str, Check] = {"credit_code": optional(text), "name_zh": text, "name_en": text}
ASSET: dict[str, Check] = {
    "code": text,
    "name_zh": text,
    "name_en": text,
    "kind": one_of(*ASSET_KINDS),
    "line": optional(text),
    "serial": optional(text),
    "key_equipment": optional(flag),
    "in_oee": optional(flag),
    "retrofitted_on": optional(day),
    "retrofit_document": optional(text),
    "meter": optional(table),
    "limits": optional(table),
    "ideal_cycles": optional(rows),
    "tags": optional(rows),
}
METER: dict[str, Check] = {
    "carrier": text,
    "unit": one_of(*UNITS),
    "level": whole(1, 3),
    "register": optional(one_of(*REGISTERS)),
    "origin": optional(one_of(*ORIGINS)),
    "above": optional(text),
    "exchanges": optional(rows),
}
EXCHANGE: dict[str, Check] = {
    "at": moment,
    "old_final": between(0, MOST_REGISTER),
    "new_initial": between(0, MOST_REGISTER),
    "ratio": between(LEAST_RATIO, MOST_RATIO),
    "document": text,
}
IDEAL_CYCLE: dict[str, Check] = {
    "product": whole(-_INT, _INT),
    "name": text,
    "cycle_s": between(LEAST_CYCLE_S, MOST_CYCLE_S),
    "source": text,
}
TAG: dict[str, Check] = {
    "name": text,
    "role": one_of(*ROLES),
    "unit": one_of(*TAG_UNITS),
    "heartbeat_s": whole(1, _INT),
    "modulus": optional(between(1, MOST_REGISTER)),
    "max_rate_per_s": optional(between(LEAST_REGISTER, MOST_REGISTER)),
    "ratio": optional(between(LEAST_RATIO, MOST_RATIO)),
    "resolution": optional(between(0, MOST_REGISTER)),
    "state_map": optional(text),
}
# The lists that belong to the factory: the fields of a row, and those that must differ.
LISTS: dict[str, tuple[dict[str, Check], tuple[str, ...]]] = {
    "energy_factors": (
        {
            "carrier": text,
            "kgce_per_unit": optional(number),
            "lhv_kj_per_unit": optional(number),
            "source": text,
            "valid_from": optional(first_of_month),
            "valid_to": optional(first_of_month),
        },
        (),
    ),
    "energy_stocks": (
        {"carrier": text, "day": first_of_month, "quantity": not_negative, "source": text},
        ("carrier", "day"),
    ),
    "lines": ({"code": text, "last": text, "bottleneck": optional(text)}, ("code",)),
    "shifts": (
        {"weekday": whole(1, 7), "name": text, "starts": clock, "duration_s": whole(1, 86_400)},
        ("weekday", "name"),
    ),
    "holidays": ({"day": day, "name": text}, ("day",)),
    "planned_stops": (
        {
            "asset": optional(text),
            "starts_at": moment,
            "ends_at": moment,
            "reason": text,
            "filed_at": moment,
        },
        (),
    ),
    "promises": (
        {
            "kpi": one_of(*KPI_RANGES),
            "before": optional(number),
            "basis": one_of(*BASES),
            "expected": number,
        },
        ("kpi",),
    ),
    "declarations": (
        {
            "kpi": one_of(*DECLARED_KPIS),
            "since": day,
            "value": not_negative,
            "basis": one_of("documented", "declared"),
            "document": text,
        },
        ("kpi", "since"),
    ),
    "self_reports": (
        {"kpi": one_of(*KPI_RANGES), "period": period, "value": number, "reported_at": moment},
        ("kpi", "period"),
    ),
}
