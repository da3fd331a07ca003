"""What a monitoring plan must say and must not contradict, before anything of it is stored."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime, time
from itertools import pairwise
from typing import Any

from store.energy_checks import check_energy
from store.errors import PlanRefused
from store.plan_fields import Check, check_fields, one_of
from store.plan_kpis import KPI_RANGES
from store.plan_schema import (
    ASSET,
    ENTERPRISE,
    FACTORY,
    IDEAL_CYCLE,
    LISTS,
    METER,
    MOST_STATE_HEARTBEAT_S,
    PLAN,
    SINGLE_ROLES,
    STATES,
    TAG,
)
from store.units import check_units

Plan = Mapping[str, Any]

_WHOLE = re.compile(r"-?\d{1,9}")
_DAY_S, _WEEK_S = 86_400, 7 * 86_400


def check_plan(plan: Plan) -> None:
    """Raise PlanRefused with the place and the fault in words; see tests for what is a fault."""
    check_fields("the plan", plan, PLAN)
    check_fields("factory", plan["factory"], FACTORY)
    if plan["factory"]["baseline"][1] > plan["factory"]["renovated_on"]:
        raise PlanRefused("factory: baseline must end by renovated_on")
    check_fields("enterprise", plan["enterprise"], ENTERPRISE)
    maps = plan.get("state_maps") or {}
    _check_state_maps(maps)
    _check_assets(plan["assets"], maps)
    for name, (fields, key) in LISTS.items():
        _check_list(name, plan.get(name) or (), fields, key)
    _check_stops(plan.get("planned_stops") or (), {asset["code"] for asset in plan["assets"]})
    _check_lines(plan.get("lines") or (), plan["assets"])
    _check_shifts(plan["shifts"])
    _check_values(plan)
    check_energy(plan)


def _check_lines(lines: Iterable[Plan], assets: Iterable[Plan]) -> None:
    """Refuse a line whose machines do not stand in it or form no OEE."""
    stands_in = {asset["code"]: asset.get("line") for asset in assets if asset.get("in_oee")}
    for place, line in _numbered("lines", lines):
        for part in ("last", "bottleneck"):
            code = line.get(part)
            if code is not None and stands_in.get(code) != line["code"]:
                raise PlanRefused(
                    f"{place}: {part} is {code!r} but must be an asset with in_oee true whose "
                    f"line is {line['code']!r}"
                )


def _check_list(
    name: str, rows: Iterable[Any], fields: Mapping[str, Check], key: tuple[str, ...]
) -> None:
    for place, row in _numbered(name, rows):
        check_fields(place, row, fields)
    if key:
        _check_unique(name, rows, lambda row: tuple(str(row[part]) for part in key))


def _numbered(name: str, rows: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    return ((f"{name}[{index}]", row) for index, row in enumerate(rows))


def _check_unique(place: str, rows: Iterable[Any], key: Callable[[Any], Hashable]) -> None:
    twice = [found for found, times in Counter(map(key, rows)).items() if times > 1]
    if twice:
        named = " ".join(twice[0]) if isinstance(twice[0], tuple) else twice[0]
        raise PlanRefused(f"{place}: {named} stands there twice")


def _check_state_maps(maps: Mapping[str, Any]) -> None:
    for name, states in maps.items():
        place = f"state_maps.{name}"
        if not isinstance(states, Mapping):
            raise PlanRefused(f"{place} must be an object of states by raw number")
        if not states:
            raise PlanRefused(f"{place} is empty; name the state of each raw number")
        for raw, state in states.items():
            if not _WHOLE.fullmatch(str(raw)):
                raise PlanRefused(f"{place}: {raw!r} must be a whole number of a controller")
            if (fault := one_of(*STATES)(state)) is not None:
                raise PlanRefused(f"{place}: state {raw} is {state!r} but {fault}")
        _check_unique(place, states, int)


def _check_assets(assets: Iterable[Any], maps: Mapping[str, Any]) -> None:
    tags: list[Plan] = []
    for place, asset in _numbered("assets", assets):
        check_fields(place, asset, ASSET)
        _check_asset(f"asset {asset['code']}", asset, maps)
        tags += asset.get("tags") or ()
    _check_unique("assets: code", assets, lambda asset: asset["code"])
    _check_unique("tags: name", tags, lambda tag: tag["name"])


def _check_asset(place: str, asset: Plan, maps: Mapping[str, Any]) -> None:
    if asset.get("meter") is not None:
        check_fields(f"{place}, meter", asset["meter"], METER)
    cycles = asset.get("ideal_cycles") or ()
    for where, cycle in _numbered(f"{place}, ideal_cycles", cycles):
        check_fields(where, cycle, IDEAL_CYCLE)
    _check_unique(f"{place}, ideal_cycles: product", cycles, lambda cycle: cycle["product"])
    tags = asset.get("tags") or ()
    for where, tag in _numbered(f"{place}, tags", tags):
        check_fields(where, tag, TAG)
        _check_tag(f"{place}, tag {tag['name']}", tag, maps)
    single = [tag for tag in tags if tag["role"] in SINGLE_ROLES]
    for tag in tags:
        check_units(f"{place}, tag {tag['name']}", tag, asset.get("meter"))
    _check_unique(f"{place}, tags: role", single, lambda tag: tag["role"])


def _check_tag(place: str, tag: Plan, maps: Mapping[str, Any]) -> None:
    name = tag.get("state_map")
    if tag["role"] == "state" and name is None:
        raise PlanRefused(f"{place}: a state needs a state_map")
    if tag["role"] == "state" and tag["heartbeat_s"] > MOST_STATE_HEARTBEAT_S:
        raise PlanRefused(
            f"{place}: heartbeat_s is {tag['heartbeat_s']} but must be a whole number from 1 to "
            f"{MOST_STATE_HEARTBEAT_S} for a state, whose last value is held for three heartbeats"
        )
    if name is not None and name not in maps:
        known = ", ".join(sorted(maps)) or "empty"
        raise PlanRefused(f"{place}: state_map {name!r} is not in state_maps, which is {known}")


def _check_stops(stops: Iterable[Plan], codes: set[str]) -> None:
    for place, stop in _numbered("planned_stops", stops):
        if stop.get("asset") is not None and stop["asset"] not in codes:
            raise PlanRefused(f"{place}: no asset has the code {stop['asset']!r}")
        if datetime.fromisoformat(stop["starts_at"]) >= datetime.fromisoformat(stop["ends_at"]):
            raise PlanRefused(f"{place}: must end after it begins")
    _check_stops_apart(list(stops))


def _check_values(plan: Plan) -> None:
    """Refuse a promise, declaration or report that its KPI cannot have."""
    for name in ("promises", "declarations", "self_reports"):
        for place, row in _numbered(name, plan.get(name) or ()):
            allowed = KPI_RANGES[row["kpi"]]
            for field in ("before", "expected", "value"):
                given = row.get(field)
                fault = None if given is None else allowed.check(_as_whole(given))
                if fault is not None:
                    raise PlanRefused(
                        f"{place}: {field} is {given!r} but {fault}: {row['kpi']} is {allowed.unit}"
                    )


def _as_whole(given: Any) -> Any:
    """Return 6 for 6.0: both are one number in JSON."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


def _check_stops_apart(stops: list[Plan]) -> None:
    """Refuse stops that count and share time for one asset: nobody could say which one holds."""
    spans = []
    for number, stop in enumerate(stops):
        start, end = (datetime.fromisoformat(stop[edge]) for edge in ("starts_at", "ends_at"))
        if datetime.fromisoformat(stop["filed_at"]) < start:
            spans.append((start, end, number))
    spans.sort()
    for at, (_, end, number) in enumerate(spans):
        for start, _, other in spans[at + 1 :]:
            if start >= end:
                break
            one, two = stops[number].get("asset"), stops[other].get("asset")
            if one is None or two is None or one == two:
                raise PlanRefused(
                    f"planned_stops[{other}]: starts_at is {stops[other]['starts_at']!r} but must "
                    f"not be before {stops[number]['ends_at']}, where planned_stops[{number}] of "
                    f"{one or 'all assets'} ends"
                )


def _check_shifts(shifts: Iterable[Plan]) -> None:
    """Refuse shifts that overlap: their time would count twice."""
    spans = []
    for shift in shifts:
        starts = time.fromisoformat(shift["starts"])
        start_s = (shift["weekday"] - 1) * _DAY_S + starts.hour * 3600 + starts.minute * 60
        start_s += starts.second
        spans.append((start_s, start_s + shift["duration_s"], shift))
    spans.sort(key=lambda span: span[:2])
    if not spans:
        return
    # The first shift of the week comes again after the last.
    first_start, first_end, first = spans[0]
    spans.append((first_start + _WEEK_S, first_end + _WEEK_S, first))
    for (_, end, one), (start, _, other) in pairwise(spans):
        if start < end:
            raise PlanRefused(
                f"shifts: {one['name']} of weekday {one['weekday']} runs into "
                f"{other['name']} of weekday {other['weekday']}; its duration_s must be at most "
                f"{one['duration_s'] - (end - start)}"
            )
