"""Rules on the shape of signals."""

from typing import Any

import numpy as np

from kpi.facts.basis import Samples
from kpi.plausibility import Case
from tests.kpi.builders import RUN, asset, tag
from tests.kpi.plausibility.cases import DAYS, case, hours, noise, one, quarters, reason, severities

_COUNT = DAYS * 96


def _signal(**samples: Samples) -> Case:
    return case(tags=[tag(7)], samples={7: samples["power"]})


def _wave(seed: int = 1) -> Any:
    return lambda number: 10 + 5 * np.sin(number / 9) + noise(len(number), seed)


def test_p08_a_power_that_stands_still_for_seven_hours() -> None:
    wave = quarters(_wave())
    wave.value[100:130] = 7.7
    found = one("P08", _signal(power=wave))
    assert (found.severity, found.measured) == ("fail", 29 / 4)
    assert found.shown == ({"from": "2026-03-02T17:00:00Z", "to": "2026-03-03T00:15:00Z"},)
    assert severities("P08", _signal(power=quarters(_wave()))) == {"pass"}
    assert reason("P08", case()) == "no_analog"


def test_p08_zero_and_a_machine_that_rests_may_stand_still() -> None:
    wave = quarters(_wave())
    wave.value[100:130] = 0.0
    assert severities("P08", _signal(power=wave)) == {"pass"}
    wave.value[100:130] = 0.4
    run_s = np.full(DAYS * 24, 3600.0)
    run_s[24:33] = 0
    tags = [tag(1, state_map="cnc"), tag(7)]
    samples = {1: quarters(RUN), 7: wave}
    resting = case(tags=tags, samples=samples, hours={1: hours(run_s=run_s)})
    assert severities("P08", resting) == {"pass"}
    running = case(tags=tags, samples=samples, hours={1: hours(run_s=3600.0)})
    assert severities("P08", running) == {"fail"}


def test_p08_a_meter_may_stand_still_while_no_shift_works() -> None:
    wave = quarters(_wave())
    wave.value[100:130] = 0.4
    planned_s = np.full(DAYS * 24, 3600.0)
    planned_s[24:33] = 0
    given: dict[str, Any] = {"tags": [tag(7)], "samples": {7: wave}}
    assert severities("P08", case(**given, hours={1: hours(planned_s=planned_s)})) == {"pass"}
    assert severities("P08", case(**given, hours={1: hours(planned_s=3600.0)})) == {"fail"}


def test_p09_a_day_that_was_replayed() -> None:
    wave = quarters(_wave())
    assert severities("P09", _signal(power=wave)) == {"pass"}
    wave.value[4 * 96 : 5 * 96] = wave.value[96 : 2 * 96]
    found = one("P09", _signal(power=wave))
    assert (found.severity, found.measured) == ("fail", 1)
    assert found.shown == (
        {"from": "2026-03-02T16:00:00Z", "to": "2026-03-03T16:00:00Z"},
        {"from": "2026-03-05T16:00:00Z", "to": "2026-03-06T16:00:00Z"},
    )


def test_p09_a_replayed_register_is_seen_by_its_increases() -> None:
    steps = noise(_COUNT)
    steps[5 * 96 : 6 * 96] = steps[2 * 96 : 3 * 96]

    def seen(increases: np.ndarray) -> set[str]:
        register = quarters(lambda number: np.concatenate([[0], np.cumsum(increases)[:-1]]))
        return severities("P09", case(tags=[tag(6)], samples={6: register}))

    assert seen(steps) == {"fail"}
    assert seen(noise(_COUNT)) == {"pass"}


def test_p09_a_machine_that_works_alike_every_day_is_no_copy() -> None:
    level = quarters(lambda number: np.where(number % 96 < 48, 5.0, 1.0))
    assert reason("P09", _signal(power=level)) == "no_whole_day"


def _pair(right: Samples) -> Case:
    tags = [tag(7), tag(17, role="power", asset_id=2)]
    return case(assets=[asset(1), asset(2)], tags=tags, samples={7: quarters(_wave()), 17: right})


def test_p21_two_machines_with_one_signal() -> None:
    copy = quarters(_wave())
    found = one("P21", _pair(Samples(copy.t_us, copy.value * 2 + 1)))
    assert found.severity == "review"
    assert found.shown == ({"tag": "T7"}, {"tag": "T17"})
    assert severities("P21", _pair(quarters(_wave(2)))) == {"pass"}
    assert reason("P21", case(days=2)) == "no_whole_week"
