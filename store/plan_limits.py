"""What a plan says of nameplates, papers and bills of material, which plausibility is held to."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from store.db import Connection
from store.errors import PlanRefused
from store.plan_fields import Check, between, check_fields, day, optional, text
from store.plan_schema import LEAST_CYCLE_S, MOST_CYCLE_S
from store.queries import query

Plan = Mapping[str, Any]

_LEAST_KW, _MOST_KW = 0.001, 1_000_000.0
_LEAST_PER_UNIT, _MOST_PER_UNIT = 1e-9, 1e9
_MOST_DAYS = 36_500.0

LIMITS: dict[str, Check] = {
    "idle_kw": optional(between(0, _MOST_KW)),
    "working_kw": optional(between(_LEAST_KW, _MOST_KW)),
    "rated_kw": optional(between(_LEAST_KW, _MOST_KW)),
    "min_cycle_s": optional(between(LEAST_CYCLE_S, MOST_CYCLE_S)),
    "accuracy_class": optional(between(0.01, 10)),
    "calibrated_until": optional(day),
    "loss_share": optional(between(0, 0.5)),
    "retention_days": optional(between(0, _MOST_DAYS)),
    "address": optional(text),
}
BILL: dict[str, Check] = {
    "product": text,
    "material": text,
    "per_unit": between(_LEAST_PER_UNIT, _MOST_PER_UNIT),
}


def check_limits(plan: Plan) -> None:
    """Raise PlanRefused with the place and what may stand there."""
    for asset in plan["assets"]:
        given = asset.get("limits")
        if given is None:
            continue
        place = f"asset {asset['code']}, limits"
        check_fields(place, given, LIMITS)
        idle_kw, working_kw = given.get("idle_kw"), given.get("working_kw")
        if idle_kw is not None and working_kw is not None and idle_kw > working_kw:
            raise PlanRefused(f"{place}: idle_kw is {idle_kw:g} but must not be above working_kw")
    bills = plan.get("bills") or ()
    for number, bill in enumerate(bills):
        check_fields(f"bills[{number}]", bill, BILL)
    named = Counter((bill["product"], bill["material"]) for bill in bills)
    twice = [" ".join(each) for each, times in named.items() if times > 1]
    if twice:
        raise PlanRefused(f"bills: {twice[0]} stands there twice")


def load_limits(conn: Connection, factory_id: int, plan: Plan) -> None:
    """Put a plan's limits and bills in the place of earlier ones."""
    owner = {"factory_id": factory_id}
    conn.execute(query("delete_limits"), owner)
    nothing = dict.fromkeys(LIMITS)
    limits = [
        nothing | dict(asset["limits"]) | owner | {"code": asset["code"]}
        for asset in plan["assets"]
        if asset.get("limits")
    ]
    bills = [dict(bill) | owner for bill in plan.get("bills") or ()]
    for name, rows in (("insert_asset_limit", limits), ("insert_bill", bills)):
        if rows:
            conn.cursor().executemany(query(name), rows)
