"""The fields of a monitoring plan: what each object has, and what may stand there."""

from collections.abc import Mapping
from typing import Any

from store.plan_fields import (
    Check,
    clock,
    day,
    flag,
    moment,
    not_negative,
    number,
    one_of,
    optional,
    period,
    positive,
    text,
    timezone,
    whole,
)

_INT = 2**31 - 1

STATES = ("run", "setup", "stop", "idle", "planned_down", "unknown")
FACTORY_KINDS = ("discrete", "process")
ASSET_KINDS = ("machine", "robot", "meter", "system")
BASES = ("measured", "documented", "declared")
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
    "shifts": rows,
    "holidays": optional(rows),
    "lines": optional(rows),
    "planned_stops": optional(rows),
    "promises": optional(rows),
    "self_reports": optional(rows),
}
FACTORY: dict[str, Check] = {
    "code": text,
    "name_zh": text,
    "name_en": text,
    "kind": one_of(*FACTORY_KINDS),
    "region": text,
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
    "meter": optional(table),
    "ideal_cycles": optional(rows),
    "tags": optional(rows),
}
METER: dict[str, Check] = {"carrier": text, "unit": text, "level": whole(1, 3)}
IDEAL_CYCLE: dict[str, Check] = {
    "product": whole(-_INT, _INT),
    "name": text,
    "cycle_s": positive,
    "source": text,
}
TAG: dict[str, Check] = {
    "name": text,
    "role": one_of(*ROLES),
    "unit": text,
    "heartbeat_s": whole(1, _INT),
    "modulus": optional(positive),
    "max_rate_per_s": optional(positive),
    "ratio": optional(positive),
    "resolution": optional(not_negative),
    "state_map": optional(text),
}
# The lists that belong to the factory: the fields of a row, and those that must differ.
LISTS: dict[str, tuple[dict[str, Check], tuple[str, ...]]] = {
    "energy_factors": (
        {"carrier": text, "kgce_per_unit": positive, "source": text},
        ("carrier",),
    ),
    "shifts": (
        {"weekday": whole(1, 7), "name": text, "starts": clock, "duration_s": whole(1, 86_400)},
        ("weekday", "name"),
    ),
    "holidays": ({"day": day, "name": text}, ("day",)),
    "lines": ({"code": text, "last": text, "bottleneck": optional(text)}, ("code",)),
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
        {"kpi": text, "before": optional(number), "basis": one_of(*BASES), "expected": number},
        ("kpi",),
    ),
    "self_reports": (
        {"kpi": text, "period": period, "value": number, "reported_at": moment},
        ("kpi", "period"),
    ),
}
