"""Each named trouble of a scenario changes what its tag shows, and leads to its finding."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from kpi.calendar import from_us
from kpi.facts.basis import Samples
from kpi.plausibility import Case, check_rule
from kpi.plausibility.basis import DAY_US
from simulators import history, scenarios
from simulators.errors import ScenarioError
from simulators.model import Trouble
from simulators.plant import Plant, build
from store.findings import Delivered, Limits
from tests.kpi.builders import asset, monitoring_plan, tag
from tests.simulators.conftest import AS_OF

# A Tuesday in the tenth month after the renovation, far from holidays.
MONTH, DAY, DAYS = 9, 9, 7


@cache
def _plant(*troubles: Trouble) -> Plant:
    scenario = scenarios.load("machining")
    shown = tuple(replace(each, shows_power=each.code == "M01") for each in scenario.equipment)
    return build(replace(scenario, equipment=shown, trouble=troubles), AS_OF, 1)


def _trouble(kind: str, tag: str, **fields: Any) -> Trouble:
    return Trouble(kind, tag, MONTH, DAY, **fields)


def _start_us(plant: Plant) -> int:
    first = plant.renovation.replace(day=1)
    month = first.month - 1 + MONTH
    begin = first.replace(year=first.year + month // 12, month=month % 12 + 1, day=DAY)
    days = (begin - plant.windows.baseline[0]).days
    return int(plant.origin_us) + days * DAY_US - 2 * DAY_US


def _case(plant: Plant, *names: str, **fields: Any) -> Case:
    """Return a week, from two days before the trouble on, of some tags of one asset."""
    start = _start_us(plant)
    chunk = history.rows(plant, start, start + DAYS * DAY_US, [])
    states = plant.scenario.states
    tags, samples = [], {}
    for index, spec in enumerate(plant.tags):
        if spec.name in names:
            own = chunk.tag_index == index
            samples[index] = Samples(chunk.ts_us[own], chunk.value[own])
            same = ("unit", "heartbeat_s", "modulus", "max_rate_per_s", "ratio", "state_map")
            fields_of = {field: getattr(spec, field) for field in same}
            tags.append(tag(index, role=spec.role, **fields_of))
    plan = monitoring_plan(assets=[asset(1)], tags=tags)
    for name, mapping in states.items():
        plan.state_maps[name] = {int(raw): state for raw, state in mapping.items()}
    return Case(plan, start, start + DAYS * DAY_US, samples, **fields)


def _severities(rule: str, case: Case) -> set[str]:
    return {finding.severity for finding in check_rule(rule, case)}


def _meter() -> str:
    plant = _plant()
    return next(each.name for each in plant.tags if (each.role, each.source) == ("power", "modbus"))


def test_a_frozen_value_is_a_flatline() -> None:
    power = _meter()
    frozen = _plant(_trouble("frozen", power, starts="08:00", hours=9))
    assert _severities("P08", _case(frozen, power)) == {"fail"}
    assert _severities("P08", _case(_plant(), power)) == {"pass"}


def test_a_replayed_day_is_a_repeated_day() -> None:
    power = _meter()
    replayed = _plant(_trouble("replayed", power, days_back=1))
    assert _severities("P09", _case(replayed, power)) == {"fail"}
    assert _severities("P09", _case(_plant(), power)) == {"pass"}


def test_a_replayed_register_goes_on_from_what_it_showed() -> None:
    energy = _meter().replace("power", "energy")
    replayed = _case(_plant(_trouble("replayed", energy, days_back=1)), energy)
    assert _severities("P09", replayed) == {"fail"}
    (samples,) = replayed.samples.values()
    assert (np.diff(samples.good().value) >= 0).all()


def test_counter_resets_within_a_day_are_told() -> None:
    resets = [_trouble("reset", "M01.total", starts=at) for at in ("10:00", "14:00")]
    assert _severities("P19", _case(_plant(*resets), "M01.total")) == {"warn"}
    assert _severities("P19", _case(_plant(), "M01.total")) == {"pass"}


def test_running_without_power_is_told() -> None:
    limits = {1: Limits(idle_kw=_plant().equipment("M01").idle_kw)}
    names = "M01.state", "M01.power"
    unpowered = _plant(_trouble("unpowered", "M01.power", hours=72))
    assert _severities("P01", _case(unpowered, *names, limits=limits)) == {"fail"}
    assert _severities("P01", _case(_plant(), *names, limits=limits)) == {"pass"}


def _batches(case: Case, true: Case) -> list[Delivered]:
    """Return one batch a quarter of a day; each arrives when its last row was really made."""
    (shown,), (made,) = case.samples.values(), true.samples.values()
    found = []
    for seq, rows in enumerate(np.array_split(np.arange(len(shown.t_us)), 4 * DAYS), 1):
        first, last = (from_us(int(shown.t_us[rows[at]])) for at in (0, -1))
        received = from_us(int(made.t_us[rows[-1]])) + timedelta(seconds=2)
        found.append(Delivered("gw", seq, False, len(rows), first, last, received, 0.0, received))
    return found


def test_a_device_whose_clock_is_ahead_is_told() -> None:
    power = _meter()
    true = _case(_plant(), power)
    skewed = _case(_plant(_trouble("skewed", power, hours=12, ahead_s=600)), power)
    found = replace(skewed, batches=_batches(skewed, true))
    assert _severities("P22", found) == {"fail"}
    assert _severities("P22", replace(true, batches=_batches(true, true))) == {"pass"}


def test_troubles_change_what_is_shown_and_not_what_was_made() -> None:
    true, troubled = _plant(), _plant(_trouble("reset", "M01.total"))
    at_us = np.array([_start_us(true) + DAYS * DAY_US], np.int64)
    index = next(at for at, each in enumerate(true.tags) if each.name == "M01.total")
    assert troubled.signals[index].at(at_us) < true.signals[index].at(at_us)
    made, shown = true.outputs["M01"], troubled.outputs["M01"]
    assert made is not None
    assert shown is not None
    assert (shown.total(at_us) == made.total(at_us)).all()


def test_an_unknown_kind_of_trouble_is_refused() -> None:
    with pytest.raises(ScenarioError, match="allowed: frozen, reset"):
        _ = _plant(_trouble("haunted", "M01.total")).signals
