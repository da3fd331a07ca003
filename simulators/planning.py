"""The monitoring plan that the factory files, with its promises and its own report."""

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from simulators import clock
from simulators.calendars import PlannedStop
from simulators.model import Equipment, Meter, Scenario
from simulators.model_systems import Papers
from simulators.tags import TagSpec

if TYPE_CHECKING:
    from simulators.plant import Plant


def plan(plant: "Plant") -> dict[str, Any]:
    """Return the plan as JSON-ready data; the self-reports rest on the truth."""
    scenario = plant.scenario
    return {
        "factory": _factory(plant),
        "enterprise": {"credit_code": None} | asdict(scenario.enterprise),
        "state_maps": scenario.states,
        "assets": _assets(plant),
        "bills": _bills(scenario),
        "energy_factors": [asdict(each) for each in scenario.energy_factor],
        "shifts": [
            {"weekday": weekday} | asdict(shift)
            for weekday in scenario.calendar.weekdays
            for shift in scenario.calendar.shift
        ],
        "holidays": _holidays(plant),
        "planned_stops": [_planned_stop(stop) for stop in plant.calendar.stops],
        "promises": [asdict(each) for each in scenario.promise],
        "self_reports": _self_reports(plant),
    }


def _factory(plant: "Plant") -> dict[str, Any]:
    return asdict(plant.scenario.factory) | {
        "timezone": clock.TIMEZONE,
        "baseline": [day.isoformat() for day in plant.windows.baseline],
        "renovated_on": plant.renovation.isoformat(),
    }


def _planned_stop(stop: PlannedStop) -> dict[str, Any]:
    return {
        "asset": stop.asset or None,
        "starts_at": clock.iso(stop.start_us),
        "ends_at": clock.iso(stop.end_us),
        "reason": stop.reason,
        "filed_at": clock.iso(stop.filed_us),
    }


def _assets(plant: "Plant") -> list[dict[str, Any]]:
    tags: dict[str, list[dict[str, Any]]] = {}
    for tag in plant.tags:
        tags.setdefault(tag.asset, []).append(_tag(tag))
    names = {each.number: each.name for each in plant.scenario.product}
    equipment = [
        _equipment(each, names) | _retrofit(each, plant.renovation)
        for each in plant.scenario.equipment
    ]
    meters = [_meter(each, plant.renovation) for each in plant.scenario.meter]
    systems = [
        _asset(each.code, each.name_zh, each.name_en, "system") for each in plant.scenario.system
    ]
    return [each | {"tags": tags[each["code"]]} for each in equipment + meters + systems]


def _asset(code: str, name_zh: str, name_en: str, kind: str) -> dict[str, Any]:
    return {
        "code": code,
        "name_zh": name_zh,
        "name_en": name_en,
        "kind": kind,
        "line": None,
        "serial": None,
        "key_equipment": False,
        "in_oee": False,
        "ideal_cycles": [],
    }


def _equipment(equipment: Equipment, names: dict[int, str]) -> dict[str, Any]:
    cycles = [
        {"product": int(number), "name": names[int(number)], "cycle_s": cycle, "source": "design"}
        for number, cycle in equipment.ideal_cycles.items()
    ]
    # Running needs two fifths of the full power even at the least speed.
    limits = {
        "idle_kw": equipment.idle_kw,
        "working_kw": 0.4 * equipment.run_kw,
        "rated_kw": equipment.rated_kw or None,
        "min_cycle_s": equipment.min_cycle_s or None,
    }
    return _asset(equipment.code, equipment.name_zh, equipment.name_en, equipment.kind) | {
        "line": equipment.line,
        "serial": equipment.serial,
        "key_equipment": True,
        "in_oee": equipment.in_oee,
        "ideal_cycles": cycles,
        "limits": {name: value for name, value in limits.items() if value is not None},
    }


def _retrofit(equipment: Equipment, renovation: date) -> dict[str, Any]:
    """Return when a machine was retrofitted and by which paper, nothing where it was not."""
    if not equipment.retrofit_document:
        return {}
    return {
        "retrofitted_on": renovation.isoformat(),
        "retrofit_document": equipment.retrofit_document,
    }


def _meter(meter: Meter, renovation: date) -> dict[str, Any]:
    return _asset(meter.code, meter.name_zh, meter.name_en, "meter") | {
        "serial": meter.serial,
        "meter": {"carrier": meter.carrier, "unit": meter.unit, "level": meter.level},
        "limits": _papers(meter.papers, renovation),
    }


def _papers(papers: Papers, renovation: date) -> dict[str, Any]:
    """Return what is known of a meter's nameplate and papers."""
    until = clock.add_months(renovation, papers.verified_months)
    given = {
        "rated_kw": papers.rated_kw,
        "accuracy_class": papers.accuracy_class,
        "calibrated_until": until.isoformat() if papers.verified_months else None,
        "loss_share": papers.loss_share,
        "retention_days": papers.retention_days,
    }
    return {name: value for name, value in given.items() if value}


def _bills(scenario: Scenario) -> list[dict[str, Any]]:
    return [
        {"product": product, "material": material.code, "per_unit": per_unit}
        for material in scenario.systems.material
        for product, per_unit in material.per_unit.items()
    ]


def _tag(tag: TagSpec) -> dict[str, Any]:
    return {
        "name": tag.name,
        "role": tag.role,
        "unit": tag.unit,
        "heartbeat_s": tag.heartbeat_s,
        "modulus": tag.modulus,
        "max_rate_per_s": tag.max_rate_per_s,
        "ratio": tag.ratio,
        "resolution": tag.resolution,
        "state_map": tag.state_map,
    }


def _holidays(plant: "Plant") -> list[dict[str, str]]:
    first, last = int(plant.days[0]) - 1, int(plant.days[-1])
    return [
        {"day": clock.day_of(day).isoformat(), "name": name}
        for day, name in sorted(plant.calendar.closed.items())
        if first <= day <= last
    ]


def _self_reports(plant: "Plant") -> list[dict[str, Any]]:
    first, end = plant.windows.after
    # Reported on the morning after the year's last day, when its books have closed.
    reported = clock.midnight_us(clock.day_number(end)) + 9 * 3600 * clock.SECOND_US
    true = plant.truth()["after"]
    return [
        {
            "kpi": each.kpi,
            "period": [first.isoformat(), end.isoformat()],
            "value": round((true[each.kpi] or 0.0) * each.times + each.add, each.digits),
            "reported_at": clock.iso(reported),
        }
        for each in plant.scenario.self_report
    ]
