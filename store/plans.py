"""Loading a monitoring plan: what a factory has, how it is read, and what it promised."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from store.db import Connection, transaction
from store.errors import PlanRefused, Refused
from store.meters import energy_state, load_energy
from store.plan_changes import mark_changes, plan_state
from store.plan_checks import Plan, check_plan
from store.plan_limits import check_limits, load_limits
from store.queries import query

_ASSET_DEFAULTS: dict[str, Any] = {
    "line": None,
    "serial": None,
    "key_equipment": False,
    "in_oee": False,
    "retrofitted_on": None,
    "retrofit_document": None,
}
_TAG_DEFAULTS: dict[str, Any] = {
    "modulus": None,
    "max_rate_per_s": None,
    "ratio": 1.0,
    "resolution": 0.0,
    "state_map": None,
}
_METER_DEFAULTS: dict[str, Any] = {"register": "import", "origin": "purchased", "above": None}
_FACTOR_DEFAULTS: dict[str, Any] = {
    "kgce_per_unit": None,
    "lhv_kj_per_unit": None,
    "valid_from": None,
    "valid_to": None,
}


def check(plan: Plan) -> None:
    """Raise PlanRefused for a plan that contradicts itself; needs no database."""
    check_plan(plan)
    check_limits(plan)


def load_plan(conn: Connection, plan: Plan) -> int:
    """Store a plan whole and return the factory's number; loading it again brings it up to date.

    Assets and tags keep their identity by code and name, and must stay in the plan once they
    were there. What it says otherwise than before is marked for the jobs. Raises PlanRefused with
    the place that is wrong; nothing of a refused plan is stored.
    """
    check(plan)
    try:
        with transaction(conn):
            return _load(conn, plan)
    except PlanRefused:
        raise
    except Refused as error:
        raise PlanRefused(f"the plan does not fit what is stored: {error}") from error


def _load(conn: Connection, plan: Plan) -> int:
    code = plan["factory"]["code"]
    before = plan_state(conn, code)
    factory_id = _load_factory(conn, plan)
    owner = {"factory_id": factory_id}
    _check_dropped(conn, factory_id, plan)
    energy_before = energy_state(conn, factory_id)
    conn.execute(query("delete_plan_lists"), owner)
    for asset in plan["assets"]:
        _load_asset(conn, factory_id, asset)
    _insert_all(conn, "insert_state_map", owner, _state_map_rows(plan))
    factors = [_given(_FACTOR_DEFAULTS, row) for row in plan.get("energy_factors") or ()]
    _insert_all(conn, "insert_energy_factor", owner, factors)
    load_energy(conn, factory_id, plan, energy_before)
    load_limits(conn, factory_id, plan)
    _insert_all(conn, "insert_line", owner, _line_rows(plan))
    _insert_all(conn, "insert_shift", owner, plan["shifts"])
    _insert_all(conn, "insert_holiday", owner, plan.get("holidays") or ())
    _insert_all(conn, "insert_planned_stop", owner, _stop_rows(plan))
    _insert_all(conn, "insert_promise", owner, _promise_rows(plan))
    _insert_all(conn, "insert_declaration", owner, plan.get("declarations") or ())
    _insert_all(conn, "insert_self_report", owner, _report_rows(plan))
    mark_changes(conn, before, plan_state(conn, code) if before else None)
    return factory_id


def _load_factory(conn: Connection, plan: Plan) -> int:
    factory = dict(plan["factory"])
    try:
        enterprise = {"credit_code": None} | dict(plan["enterprise"])
        enterprise_id = _identity(conn, "upsert_enterprise", enterprise)
        factory["baseline_from"], factory["baseline_to"] = factory.pop("baseline")
        return _identity(conn, "upsert_factory", factory | {"enterprise_id": enterprise_id})
    except UniqueViolation as error:
        code = plan["enterprise"]["credit_code"]
        raise PlanRefused(f"enterprise: credit_code {code} has another name_zh so far") from error
    except ForeignKeyViolation as error:
        raise PlanRefused(f"factory: no region has the code {factory['region']}") from error


def _check_dropped(conn: Connection, factory_id: int, plan: Plan) -> None:
    """Refuse a plan that forgets what may have rows: its facts would go on without a word."""
    values = {
        "factory_id": factory_id,
        "codes": [asset["code"] for asset in plan["assets"]],
        "names": [tag["name"] for asset in plan["assets"] for tag in asset.get("tags") or ()],
    }
    dropped = [place for (place,) in conn.execute(query("dropped_from_plan"), values)]
    if dropped:
        raise PlanRefused(
            f"the plan lacks {', '.join(dropped)}, which it had before and which may have rows: "
            "keep it (an asset that is gone with in_oee false)"
        )


def _identity(conn: Connection, name: str, values: Mapping[str, Any]) -> int:
    row = conn.execute(query(name), values).fetchone()
    assert row is not None
    return int(row[0])


def _load_asset(conn: Connection, factory_id: int, asset: Plan) -> None:
    fields = _given(_ASSET_DEFAULTS, asset) | {"factory_id": factory_id}
    asset_id = _identity(conn, "upsert_asset", fields)
    owner = {"asset_id": asset_id}
    _insert_all(conn, "insert_ideal_cycle", owner, asset.get("ideal_cycles") or ())
    if asset.get("meter"):
        _insert_all(conn, "insert_meter", owner, [_given(_METER_DEFAULTS, asset["meter"])])
    tags = [
        _given(_TAG_DEFAULTS, tag) | {"factory_id": factory_id} for tag in asset.get("tags") or ()
    ]
    _insert_all(conn, "upsert_tag", owner, tags)


def _given(defaults: Mapping[str, Any], row: Plan) -> dict[str, Any]:
    """Return a row with the default where a field is absent or null."""
    return {**defaults, **{name: value for name, value in row.items() if value is not None}}


def _state_map_rows(plan: Plan) -> Iterable[dict[str, Any]]:
    for name, states in (plan.get("state_maps") or {}).items():
        for raw, state in states.items():
            yield {"name": name, "raw": int(raw), "state": state}


def _line_rows(plan: Plan) -> Iterable[dict[str, Any]]:
    return ({"bottleneck": None} | dict(line) for line in plan.get("lines") or ())


def _stop_rows(plan: Plan) -> Iterable[dict[str, Any]]:
    return ({"asset": None} | dict(stop) for stop in plan.get("planned_stops") or ())


def _promise_rows(plan: Plan) -> Iterable[dict[str, Any]]:
    return ({"before": None} | dict(promise) for promise in plan.get("promises") or ())


def _report_rows(plan: Plan) -> Iterable[dict[str, Any]]:
    for report in plan.get("self_reports") or ():
        start, end = report["period"]
        yield dict(report) | {"period_start": start, "period_end": end}


def _insert_all(
    conn: Connection, name: str, owner: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]
) -> None:
    values = [dict(row) | dict(owner) for row in rows]
    if values:
        conn.cursor().executemany(query(name), values)
