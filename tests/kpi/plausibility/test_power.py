"""Rules that hold states and counts against power."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kpi.facts.basis import Samples
from kpi.plausibility import Case
from store.findings import Limits
from tests.kpi.builders import IDLE, RUN, asset, tag
from tests.kpi.plausibility.cases import (
    DAYS,
    case,
    hours,
    meter,
    noise,
    one,
    quarters,
    reason,
    severities,
)

_TAGS = [tag(1, state_map="cnc"), tag(3, max_rate_per_s=1.0), tag(7)]
_LIMITS = {1: Limits(idle_kw=1.0, working_kw=4.0)}


def _shift(number: np.ndarray) -> np.ndarray:
    """Return 1 in the twelve hours of a day from six on, 0 beside them."""
    return (number % 96 >= 24) & (number % 96 < 72)


def _machine(kw: Callable[[np.ndarray], Any], *, limits: dict[int, Limits] | None = None) -> Case:
    samples: dict[int, Samples] = {
        1: quarters(lambda number: np.where(_shift(number), RUN, IDLE)),
        3: quarters(lambda number: np.cumsum(10 * _shift(number))),
        7: quarters(kw),
    }
    return case(tags=_TAGS, samples=samples, limits=_LIMITS if limits is None else limits)


def _honest(number: np.ndarray) -> np.ndarray:
    return np.where(_shift(number), 5.0, 0.5)


def test_p01_a_machine_that_runs_without_power() -> None:
    def dark(number: np.ndarray) -> np.ndarray:
        return np.where((number >= 48) & (number < 60), 0.3, _honest(number))

    found = one("P01", _machine(dark))
    assert found.severity == "warn"
    assert found.measured == pytest.approx(12 / (48 * DAYS))
    assert found.shown == ({"from": "2026-03-02T04:00:00Z", "to": "2026-03-02T07:00:00Z"},)
    assert severities("P01", _machine(lambda number: 0.3 + 0 * number)) == {"fail"}
    assert severities("P01", _machine(_honest)) == {"pass"}


def test_p02_a_machine_that_works_while_it_is_said_to_stand() -> None:
    def always(number: np.ndarray) -> np.ndarray:
        return np.where(number % 96 < 90, 5.0, 0.5)

    assert severities("P02", _machine(always)) == {"warn"}
    assert severities("P02", _machine(_honest)) == {"pass"}


def test_p03_parts_that_were_counted_without_power() -> None:
    def waved(number: np.ndarray) -> np.ndarray:
        return np.where((number >= 46) & (number < 52), 0.3, _honest(number))

    found = one("P03", _machine(waved))
    assert found.severity == "fail"
    assert found.measured == pytest.approx(5 / (48 * DAYS))
    assert severities("P03", _machine(_honest)) == {"pass"}


@pytest.mark.parametrize("rule", ["P01", "P02", "P03"])
def test_without_power_or_its_limits_nothing_is_said(rule: str) -> None:
    unlimited = {"P01": "no_power_limit", "P02": "no_power_limit", "P03": "no_power_tag"}[rule]
    assert reason(rule, _machine(_honest, limits={})) == unlimited
    assert reason(rule, case(tags=_TAGS, limits=_LIMITS)) == "no_power_tag"


def test_p04_days_that_took_unusual_energy_for_their_output() -> None:
    energy = 10 + noise(20 * 24)
    made = {1: hours(20, energy=energy, ideal_total_s=1800.0)}
    assert severities("P04", case(days=20, hours=made)) == {"pass"}
    energy[5 * 24 : 6 * 24] *= 2
    found = one("P04", case(days=20, hours={1: hours(20, energy=energy, ideal_total_s=1800.0)}))
    assert (found.severity, found.measured) == ("warn", 1)
    assert found.shown == ({"from": "2026-03-06T16:00:00Z", "to": "2026-03-07T16:00:00Z"},)


def test_p04_the_base_load_of_a_day_with_little_output_is_no_finding() -> None:
    made_s = np.full(20 * 24, 1800.0)
    made_s[5 * 24 : 6 * 24] = 100.0
    energy = 2 + made_s / 200 + noise(20 * 24) / 10
    facts = {1: hours(20, energy=energy, ideal_total_s=made_s)}
    assert severities("P04", case(days=20, hours=facts)) == {"pass"}


def test_p04_entry_meters_are_held_against_all_machines() -> None:
    energy = 10 + noise(20 * 24)
    energy[-24:] *= 3
    facts = {1: hours(20, ideal_total_s=1800.0), 2: hours(20, energy=energy)}
    plan: dict[str, Any] = {"assets": [asset(1, in_oee=True), meter(2)]}
    assert severities("P04", case(**plan, days=20, hours=facts)) == {"warn"}
    assert reason("P04", case(**plan, days=20)) == "no_data"
    nothing_made = facts | {1: hours(20)}
    assert reason("P04", case(**plan, days=20, hours=nothing_made)) == "no_data"
