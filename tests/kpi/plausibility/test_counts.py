"""Rules on counters and what comes of them."""

from datetime import date
from typing import Any

import numpy as np
import pytest

from kpi.plausibility import Before, Case
from store.findings import Limits
from tests.kpi.builders import shift, tag
from tests.kpi.plausibility.cases import DAYS, case, hours, noise, one, quarters, reason, severities

_EVERY_DAY = [shift(weekday, "08:00", 8) for weekday in range(1, 8)]


def _pace(ideal_s: float) -> Case:
    facts = {1: hours(run_s=1800.0, ideal_total_s=ideal_s)}
    return case(plan={"cycles": {1: {1: 60.0}}}, hours=facts)


def test_p05_performance_beyond_one_hundred_percent() -> None:
    assert severities("P05", _pace(1700)) == {"pass"}
    assert severities("P05", _pace(1850)) == {"warn"}
    found = one("P05", _pace(2100))
    assert found.severity == "fail"
    assert found.measured == pytest.approx(2100 / 1800)
    assert found.shown_count == 1
    assert reason("P05", case(hours={1: hours()})) == "no_data"


def test_p05_hours_of_which_a_part_is_unknown_do_not_count() -> None:
    unknown_s = np.zeros(DAYS * 24)
    unknown_s[50] = 1800
    made_s = np.where(unknown_s > 0, 60_000.0, 1700.0)
    facts = {1: hours(run_s=1800.0, ideal_total_s=made_s, unknown_s=unknown_s)}
    given = case(plan={"cycles": {1: {1: 60.0}}}, hours=facts)
    assert one("P05", given).measured == pytest.approx(1700 / 1800)


def _counted(register: Any, **fields: Any) -> Case:
    return case(tags=[tag(3, max_rate_per_s=10.0)], samples={3: quarters(register)}, **fields)


def test_p06_parts_faster_than_the_machine_can_move() -> None:
    limits = {1: Limits(min_cycle_s=30.0)}

    def burst(number: np.ndarray) -> np.ndarray:
        return np.asarray(number * 20 + 100 * (number >= 40))

    found = one("P06", _counted(burst, limits=limits))
    assert (found.severity, found.measured) == ("fail", 1)
    assert found.shown == ({"from": "2026-03-02T01:45:00Z", "to": "2026-03-02T02:00:00Z"},)
    assert severities("P06", _counted(lambda number: number * 20, limits=limits)) == {"pass"}
    assert reason("P06", _counted(lambda number: number * 20)) == "no_min_cycle"


def test_p16_output_on_a_declared_holiday() -> None:
    plan = {"shifts": _EVERY_DAY, "holidays": [date(2026, 3, 4)]}
    total = np.zeros(DAYS * 24)
    total[2 * 24 + 10] = 5
    found = one("P16", case(plan=plan, hours={1: hours(total=total, off_s=3600.0)}))
    assert (found.severity, found.measured) == ("review", 1)
    assert found.shown == ({"from": "2026-03-04T02:00:00Z", "to": "2026-03-04T03:00:00Z"},)
    assert severities("P16", case(plan=plan, hours={1: hours(total=0.0, off_s=3600.0)})) == {"pass"}
    assert reason("P16", case(hours={1: hours(total=5.0)})) == "no_holiday"


def _planned(down_share: float) -> dict[int, Any]:
    return {1: hours(planned_s=3600 * (1 - down_share), planned_down_s=3600 * down_share)}


def test_p17_planned_downtime_that_grew_since_the_baseline() -> None:
    before = Before(planned_s=95.0, planned_down_s=5.0)
    grown = one("P17", case(hours=_planned(0.15), before=before))
    assert grown.severity == "warn"
    assert grown.measured == pytest.approx(0.10)
    assert severities("P17", case(hours=_planned(0.08), before=before)) == {"pass"}
    assert reason("P17", case(hours=_planned(0.08))) == "no_baseline"


def _reset_at(*quarter_numbers: int) -> Any:
    def register(number: np.ndarray) -> np.ndarray:
        value = number + 100.0
        for at in quarter_numbers:
            value = np.where(number >= at, number - at + 1.0, value)
        return value

    return register


def test_p19_a_counter_that_is_reset_twice_a_day() -> None:
    found = one("P19", _counted(_reset_at(100, 130)))
    assert (found.severity, found.measured) == ("warn", 2)
    assert found.shown_count == 2
    assert severities("P19", _counted(lambda number: number)) == {"pass"}


def test_p19_a_reset_at_the_end_of_a_shift_asks_for_a_look() -> None:
    plan = {"shifts": _EVERY_DAY}
    assert severities("P19", _counted(_reset_at(64), plan=plan)) == {"review"}  # 16:00
    assert severities("P19", _counted(_reset_at(50), plan=plan)) == {"pass"}
    assert reason("P19", case()) == "no_data"


def test_p25_rejects_that_are_too_smooth_to_be_counted() -> None:
    total = np.full(30 * 24, 20.0)
    made_up = hours(30, total=total, reject=total / 10)
    assert severities("P25", case(days=30, hours={1: made_up})) == {"review"}
    counted = np.random.default_rng(3).binomial(20, 0.1, 30 * 24)
    real = hours(30, total=total, reject=counted)
    assert severities("P25", case(days=30, hours={1: real})) == {"pass"}
    few = hours(total=20.0, reject=1 + noise(DAYS * 24))
    assert reason("P25", case(hours={1: few})) == "no_data"
