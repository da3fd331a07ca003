"""Loading a monitoring plan: what a factory has, how it is read, and what it promised."""

from collections.abc import Iterable, Mapping
from typing import Any

from store.db import Connection, transaction
from store.errors import PlanRefused, Refused
from store.queries import query

Plan = Mapping[str, Any]

_TAG_DEFAULTS: dict[str, Any] = {
    "modulus": None,
    "max_rate_per_s": None,
    "ratio": 1.0,
    "resolution": 0.0,
    "state_map": None,
}


def load_plan(conn: Connection, plan: Plan) -> int:
    """Store a plan whole and return the factory's number; loading it again brings it up to date.

    Assets and tags keep their identity by code and name. Raises PlanRefused with the place
    that is wrong; nothing of a refused plan is stored.
    """
    try:
        with transaction(conn):
            return _load(conn, plan)
    except KeyError as error:
        raise PlanRefused(f"the plan lacks {error}") from error
    except PlanRefused:
        raise
    except Refused as error:
        raise PlanRefused(f"the plan does not fit: {error}") from error


def _load(conn: Connection, plan: Plan) -> int:
    _check_state_maps(plan)
    factory_id = _load_factory(conn, plan)
    owner = {"factory_id": factory_id}
    conn.execute(query("delete_plan_lists"), owner)
    for asset in plan["assets"]:
        _load_asset(conn, factory_id, asset)
    _insert_all(conn, "insert_state_map", owner, _state_map_rows(plan))
    _insert_all(conn, "insert_energy_factor", owner, plan.get("energy_factors", ()))
    _insert_all(conn, "insert_shift", owner, plan["shifts"])
    _insert_all(conn, "insert_holiday", owner, plan.get("holidays", ()))
    _insert_all(conn, "insert_planned_stop", owner, plan.get("planned_stops", ()))
    _insert_all(conn, "insert_promise", owner, plan.get("promises", ()))
    _insert_all(conn, "insert_self_report", owner, _report_rows(plan))
    return factory_id


def _load_factory(conn: Connection, plan: Plan) -> int:
    enterprise_id = _identity(conn, "upsert_enterprise", plan["enterprise"])
    factory = dict(plan["factory"])
    factory["baseline_from"], factory["baseline_to"] = factory.pop("baseline")
    return _identity(conn, "upsert_factory", factory | {"enterprise_id": enterprise_id})


def _identity(conn: Connection, name: str, values: Mapping[str, Any]) -> int:
    row = conn.execute(query(name), values).fetchone()
    assert row is not None
    return int(row[0])


def _load_asset(conn: Connection, factory_id: int, asset: Plan) -> None:
    fields: dict[str, Any] = {"line": None, "serial": None, "key_equipment": False, "in_oee": False}
    asset_id = _identity(conn, "upsert_asset", fields | dict(asset) | {"factory_id": factory_id})
    owner = {"asset_id": asset_id}
    _insert_all(conn, "insert_ideal_cycle", owner, asset.get("ideal_cycles", ()))
    if asset.get("meter"):
        _insert_all(conn, "insert_meter", owner, [asset["meter"]])
    tags = [_TAG_DEFAULTS | tag | {"factory_id": factory_id} for tag in asset.get("tags", ())]
    _insert_all(conn, "upsert_tag", owner, tags)


def _check_state_maps(plan: Plan) -> None:
    maps = plan.get("state_maps", {})
    for asset in plan["assets"]:
        for tag in asset.get("tags", ()):
            if tag["role"] == "state" and tag.get("state_map") not in maps:
                raise PlanRefused(f"tag {tag['name']}: its state_map is not among {sorted(maps)}")


def _state_map_rows(plan: Plan) -> Iterable[dict[str, Any]]:
    for name, states in plan.get("state_maps", {}).items():
        for raw, state in states.items():
            yield {"name": name, "raw": int(raw), "state": state}


def _report_rows(plan: Plan) -> Iterable[dict[str, Any]]:
    for report in plan.get("self_reports", ()):
        start, end = report["period"]
        yield dict(report) | {"period_start": start, "period_end": end}


def _insert_all(
    conn: Connection, name: str, owner: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]
) -> None:
    values = [dict(row) | dict(owner) for row in rows]
    if values:
        conn.cursor().executemany(query(name), values)
