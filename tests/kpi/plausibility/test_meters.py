"""Rules on energy meters, each with a case that triggers it and one that does not."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from kpi.plausibility import Case
from store.findings import Limits
from store.meters import EnergyPlan, Exchange, Meter
from tests.kpi.builders import asset, tag
from tests.kpi.plausibility.cases import (
    DAYS,
    at,
    case,
    hours,
    meter,
    noise,
    one,
    quarters,
    reason,
    record,
    severities,
)

METER: dict[str, Any] = {"assets": [meter()], "tags": [tag(6)]}


def test_q03_days_that_miss_a_tenth_of_the_month() -> None:
    rising = quarters(lambda number: number * 1.0)
    whole = (DAYS * 96 - 1) / (DAYS * 24)
    short = case(**METER, samples={6: rising}, hours={1: hours(energy=whole * 0.9)})
    found = one("Q03", short)
    assert found.severity == "fail"
    assert found.measured == pytest.approx(0.1)
    same = case(**METER, samples={6: rising}, hours={1: hours(energy=whole)})
    assert severities("Q03", same) == {"pass"}
    assert reason("Q03", case(**METER)) == "no_data"


def test_q03_a_register_that_went_back_fails_unless_it_rolled_over() -> None:
    rolled = quarters(lambda number: (900 + number) % 1000)
    facts = {1: hours(energy=(DAYS * 96 - 1) / (DAYS * 24))}
    assert severities("Q03", case(**METER, samples={6: rolled}, hours=facts)) == {"fail"}
    known = METER | {"tags": [tag(6, modulus=1000.0)]}
    assert severities("Q03", case(**known, samples={6: rolled}, hours=facts)) == {"pass"}


def test_q03_an_exchange_on_record_is_no_difference() -> None:
    renewed = quarters(lambda number: np.where(number < 96, 500.0 + number, number - 96.0))
    facts = {1: hours(energy=(DAYS * 96 - 1) / (DAYS * 24))}
    assert severities("Q03", case(**METER, samples={6: renewed}, hours=facts)) == {"fail"}
    exchange = Exchange(at(1), old_final=596.0, new_initial=0.0, ratio=1.0)
    known = METER | {"tags": [tag(6, exchanges=(exchange,))]}
    assert severities("Q03", case(**known, samples={6: renewed}, hours=facts)) == {"pass"}


def _metered(main: float, *subs: float, **limits: Any) -> Case:
    meters = [meter(1), *(meter(number, 2) for number in range(2, 2 + len(subs)))]
    facts = {number: hours(energy=kwh) for number, kwh in enumerate((main, *subs), 1)}
    return case(assets=meters, hours=facts, limits={1: Limits(**limits)})


def test_q07_sub_meters_that_miss_a_part_of_the_main_one() -> None:
    assert severities("Q07", _metered(100, 60, 38)) == {"pass"}
    assert severities("Q07", _metered(100, 60, 33)) == {"warn"}
    assert severities("Q07", _metered(100, 60, 20)) == {"fail"}
    assert severities("Q07", _metered(100, 60, 20, loss_share=0.18)) == {"pass"}


def test_q07_sub_meters_beyond_the_main_one_and_its_class_fail() -> None:
    assert severities("Q07", _metered(100, 60, 42, accuracy_class=1.0)) == {"fail"}
    assert severities("Q07", _metered(100, 60, 40.9, accuracy_class=1.0)) == {"pass"}
    assert reason("Q07", _metered(100)) == "no_sub_meter"


def test_q07_what_was_exported_comes_off_and_tariffs_are_no_meters_of_their_own() -> None:
    assets = [meter(1), meter(2), meter(3), meter(4, 2)]
    facts = {number: hours(energy=kwh) for number, kwh in enumerate((100, 20, 60, 80), 1)}
    given = case(assets=assets, hours=facts)
    assert severities("Q07", given) == {"fail"}
    registers = {2: Meter("export"), 3: Meter("tariff")}
    plan = replace(given.plan, energy=EnergyPlan(registers))
    assert severities("Q07", replace(given, plan=plan)) == {"pass"}


def test_q08_a_negative_reading_is_counted_and_shown() -> None:
    rising = quarters(lambda number: number * 1.0)
    wrong = quarters(lambda number: np.where(number == 50, -5.0, number))
    found = one("Q08", case(**METER, samples={6: wrong}))
    assert (found.severity, found.measured) == ("fail", 1)
    assert found.shown[0]["from"] == "2026-03-02T04:30:00Z"
    assert severities("Q08", case(**METER, samples={6: rising})) == {"pass"}


def test_q08_a_jump_to_a_new_level_is_a_gross_error_though_its_readings_go_on() -> None:
    jumped = quarters(lambda number: np.where(number >= 50, number + 1e6, number * 1.0))
    given = METER | {"tags": [tag(6, max_rate_per_s=0.01)], "samples": {6: jumped}}
    found = one("Q08", case(**given))
    assert (found.severity, found.measured) == ("fail", 1)
    assert found.shown[0]["from"] == "2026-03-02T04:15:00Z"


def test_q08_nothing_metered_while_running_and_a_day_beyond_the_rated_power() -> None:
    samples = {6: quarters(lambda number: number * 1.0)}
    energy = np.full(DAYS * 24, 5.0)
    energy[30] = 0
    running = {1: hours(energy=energy, run_s=3600.0)}
    assert one("Q08", case(**METER, samples=samples, hours=running)).measured == 1
    energy[30], energy[48] = 5.0, 5000.0
    beyond = case(
        **METER, samples=samples, hours={1: hours(energy=energy)}, limits={1: Limits(rated_kw=10)}
    )
    assert one("Q08", beyond).shown == (
        {"from": "2026-03-03T16:00:00Z", "to": "2026-03-04T16:00:00Z"},
    )


def test_q09_a_verification_that_ran_out() -> None:
    def until(day: date) -> Case:
        return case(**METER, limits={1: Limits(calibrated_until=day)})

    found = one("Q09", until(date(2026, 3, 1)))
    assert (found.severity, found.measured) == ("fail", 7)
    assert severities("Q09", until(date(2026, 3, 8))) == {"pass"}
    assert reason("Q09", case(**METER)) == "no_calibration"


def test_q10_large_equipment_without_a_meter() -> None:
    large = [meter(1), *(asset(number) for number in range(2, 12))]
    limits = {number: Limits(rated_kw=150) for number in range(2, 12)}
    powered = [tag(100 + number, role="power", asset_id=number) for number in range(2, 12)]
    found = one("Q10", case(assets=large, tags=powered[2:], limits=limits))
    assert found.severity == "fail"
    assert found.shown == ({"asset": "A02"}, {"asset": "A03"})
    assert severities("Q10", case(assets=large, tags=powered, limits=limits)) == {"pass"}
    assert reason("Q10", case()) == "no_meters"


def test_q10_without_an_entry_meter() -> None:
    assert severities("Q10", case(assets=[meter(1, 2)])) == {"fail"}
    assert severities("Q10", case(assets=[meter(1, 1)])) == {"pass"}


@pytest.mark.parametrize(("factor", "expected"), [(40.0, "warn"), (1 / 10, "warn"), (1.3, "pass")])
def test_q11_a_step_by_a_typical_multiplier(factor: float, expected: str) -> None:
    energy = 100 + noise(20 * 24)
    energy[12 * 24 :] *= factor
    found = one("Q11", case(assets=[meter()], days=20, hours={1: hours(20, energy=energy)}))
    assert found.severity == expected
    if expected == "warn":
        assert found.shown[0]["from"] == "2026-03-13T16:00:00Z"


def test_p07_an_hour_beyond_the_rated_power() -> None:
    energy = np.full(DAYS * 24, 90.0)
    energy[7] = 110.0
    limits = {1: Limits(rated_kw=100)}
    found = one("P07", case(assets=[meter()], hours={1: hours(energy=energy)}, limits=limits))
    assert (found.severity, found.measured) == ("fail", 1.1)
    assert len(found.shown) == 1
    energy[7] = 99.0
    within = case(assets=[meter()], hours={1: hours(energy=energy)}, limits=limits)
    assert severities("P07", within) == {"pass"}
    assert (
        reason("P07", case(assets=[meter()], hours={1: hours(energy=energy)})) == "no_rated_power"
    )


def _billed(quantity: Any, **fields: Any) -> Case:
    body = {
        "carrier": "electricity",
        "first_day": "2026-03-02",
        "last_day": "2026-03-08",
        "quantity": quantity,
    }
    invoice = record("2026-03", {**body, **fields})
    facts = {1: hours(energy=10.0)}
    return case(assets=[meter()], hours=facts, records={"energy_invoice": [invoice]})


def test_p15_an_invoice_that_the_meters_do_not_bear_out() -> None:
    found = one("P15", _billed(2000))
    assert found.severity == "fail"
    assert found.measured == pytest.approx(320 / 2000)
    assert found.shown[0] == {"record": "energy_invoice", "key": "2026-03"}
    assert severities("P15", _billed(1690)) == {"pass"}
    assert severities("P15", _billed("1690")) == {"pass"}
    assert severities("P15", _billed("1.69", unit="MWh")) == {"pass"}
    assert severities("P15", _billed(0.169, unit="万kWh")) == {"pass"}
    assert one("P15", _billed(1.69, unit="kWh")).severity == "fail"
    assert reason("P15", _billed(1690, unit="m3")) == "no_invoice"
    assert reason("P15", _billed(1690, unit=["kWh"])) == "no_invoice"
    assert reason("P15", _billed(1690, last_day="9999-12-31")) == "no_invoice"
    assert reason("P15", _billed(10**400)) == "no_invoice"
    assert reason("P15", _billed(1690, last_day="2026-05-01")) == "no_invoice"
    assert reason("P15", _billed("many")) == "no_invoice"


def test_p26_energy_that_knows_no_shift() -> None:
    clock = np.arange(DAYS * 24) % 24
    shift = (clock >= 8) & (clock < 20)
    calendar: dict[str, Any] = {"planned_s": shift * 3600.0, "off_s": ~shift * 3600.0}
    flat = case(assets=[meter()], hours={1: hours(energy=10.0, **calendar)})
    assert severities("P26", flat) == {"review"}
    real = case(assets=[meter()], hours={1: hours(energy=2 + 8.0 * shift, **calendar)})
    assert severities("P26", real) == {"pass"}
    always = case(assets=[meter()], hours={1: hours(energy=10.0, planned_s=3600.0)})
    assert reason("P26", always) == "no_pattern"
