"""Networked key equipment, counted over the last thirty days."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from kpi.figures.equipment import networked
from store.registry import Asset
from tests.kpi.builders import asset, monitoring_plan
from tests.kpi.evidence import AFTER_MARCH, MARCH, YEAR, bounds, each_day, evidence

ALIVE = {"known_s": 86_400.0, "changes": 5.0}
LAST_THIRTY = (date(2026, 3, 2), date(2026, 4, 1))


def key_equipment(number: int, serial: str | None = None, **fields: Any) -> Asset:
    """A registered piece of key equipment."""
    return asset(number, key_equipment=True, serial=serial or f"SN-{number}", **fields)


def count(*equipment: Asset, facts: Any, until: datetime = AFTER_MARCH) -> float:
    """How many are networked in March."""
    found = networked(evidence(monitoring_plan(assets=equipment), facts, until=until), MARCH)
    low, point, high = bounds(found[0])
    assert low == point == high
    return point


@pytest.mark.parametrize(("silent_s", "expected"), [(0, 1), (3 * 86_400, 1), (3 * 86_400 + 1, 0)])
def test_nine_tenths_of_thirty_days_are_enough(silent_s: float, expected: int) -> None:
    facts = dict(each_day(*LAST_THIRTY, ALIVE))
    whole, rest = divmod(silent_s, 86_400)
    for number in range(int(whole)):
        facts[date(2026, 3, 10 + number)] = {"changes": 5.0}
    facts[date(2026, 3, 20)] = ALIVE | {"known_s": 86_400.0 - rest}
    assert count(key_equipment(1), facts={1: facts}) == expected


def test_the_days_before_the_last_thirty_do_not_help() -> None:
    facts = each_day(date(2026, 2, 1), date(2026, 3, 28), ALIVE)
    assert count(key_equipment(1), facts={1: facts}) == 0


def test_a_signal_that_never_changes_proves_nothing() -> None:
    facts = each_day(*LAST_THIRTY, known_s=86_400.0)
    assert count(key_equipment(1), facts={1: facts}) == 0


def test_the_same_serial_number_counts_once() -> None:
    facts = {number: each_day(*LAST_THIRTY, ALIVE) for number in (1, 2, 3)}
    three = [key_equipment(1, "SN-1"), key_equipment(2, "SN-1"), key_equipment(3, "SN-3")]
    assert count(*three, facts=facts) == 2


def test_two_that_answer_at_one_address_count_once() -> None:
    facts = {number: each_day(*LAST_THIRTY, ALIVE) for number in (1, 2, 3, 4)}
    four = [
        key_equipment(1, address="192.0.2.7:4840"),
        key_equipment(2, address=" 192.0.2.7:4840"),
        key_equipment(3, address="192.0.2.8:4840"),
        key_equipment(4),
    ]
    assert count(*four, facts=facts) == 3


def test_equipment_without_a_serial_number_or_off_the_register_does_not_count() -> None:
    facts = {number: each_day(*LAST_THIRTY, ALIVE) for number in (1, 2, 3)}
    others = [asset(2, key_equipment=True), asset(3, serial="SN-3")]
    assert count(key_equipment(1), *others, facts=facts) == 1


def test_equipment_without_any_data_does_not_count() -> None:
    facts = {2: each_day(date(2026, 3, 20), date(2026, 3, 21), ALIVE)}
    assert count(key_equipment(1), asset(2), facts=facts) == 0


@pytest.mark.parametrize("facts", [{}, {1: each_day(date(2026, 2, 1), date(2026, 3, 2), ALIVE)}])
def test_where_the_whole_factory_was_silent_nobody_knows(facts: Any) -> None:
    plan = monitoring_plan(assets=[key_equipment(1), asset(2)])
    (found,) = networked(evidence(plan, facts), MARCH)
    assert (found.point, found.coverage) == (None, 0.0)
    assert "30" in str(found.reason)
    assert found.inputs["registered"] == 1


@pytest.mark.parametrize(("hour", "expected"), [(1, 0), (6, 0), (9, 1), (23, 1)])
def test_an_open_month_looks_back_from_the_last_full_hour_in_local_time(
    hour: int, expected: int
) -> None:
    # Heard of from 22:24 on 12 February: 26 days, 1.6 h and the hours of this day, of which there
    # are 29 days and those hours. Nine tenths are reached 8 h into the day.
    until = datetime.fromisoformat(f"2026-03-11T{hour:02}:00:00+08:00")
    facts = dict(each_day(date(2026, 2, 13), date(2026, 3, 11), ALIVE))
    facts[date(2026, 2, 12)] = ALIVE | {"known_s": 1.6 * 3600}
    facts[date(2026, 3, 11)] = ALIVE | {"known_s": hour * 3600.0}
    plan = monitoring_plan(assets=[key_equipment(1)])
    found = networked(evidence(plan, {1: facts}, until=until), MARCH)[0]
    assert found.inputs["window"] == ["2026-02-10", "2026-03-12"]
    assert found.point == expected


def test_the_figure_of_a_year_looks_at_its_last_thirty_days() -> None:
    facts = {1: each_day(*LAST_THIRTY, ALIVE)}
    plan = monitoring_plan(assets=[key_equipment(1), key_equipment(2)])
    found = networked(evidence(plan, facts), YEAR)[0]
    assert (found.point, found.inputs["networked"], found.inputs["registered"]) == (1, ["A01"], 2)
    assert YEAR.end - timedelta(days=30) == LAST_THIRTY[0]
