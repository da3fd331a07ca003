"""Rules on how data arrive, each with a case that triggers it and one that does not."""

from datetime import timedelta
from typing import Any

import numpy as np

from kpi.facts.basis import FLAG_BRIDGED, Samples
from kpi.plausibility import Before
from store.findings import Limits
from tests.kpi.builders import asset, tag
from tests.kpi.plausibility.cases import (
    DAY_0_US,
    DAYS,
    at,
    batch,
    case,
    hours,
    meter,
    one,
    quarters,
    reason,
    severities,
)


def _without(samples: Samples, first_day: float, last_day: float) -> Samples:
    day = (samples.t_us - DAY_0_US) / 86400e6
    kept = (day < first_day) | (day >= last_day)
    return Samples(samples.t_us[kept], samples.value[kept])


def test_q01_a_day_with_half_its_rows_is_not_verifiable() -> None:
    whole = quarters(1.0)
    found = one("Q01", case(samples={1: _without(whole, 2, 2.5)}))
    assert found.severity == "fail"
    assert found.measured == 0.5
    assert found.shown == ({"from": "2026-03-03T16:00:00Z", "to": "2026-03-04T16:00:00Z"},)
    assert severities("Q01", case(samples={1: _without(whole, 2, 2.2)})) == {"warn"}
    assert severities("Q01", case(samples={1: whole})) == {"pass"}


def test_q01_a_tag_that_was_never_heard_fails() -> None:
    assert one("Q01", case()).measured == 0


def test_q02_an_hour_between_rows_is_tolerated_and_two_are_not() -> None:
    plan: dict[str, Any] = {"assets": [meter()], "tags": [tag(6)]}
    assert severities("Q02", case(**plan, samples={6: quarters(1.0)})) == {"pass"}
    assert severities("Q02", case(**plan, samples={6: quarters(1.0, step_min=30)})) == {"warn"}
    found = one("Q02", case(**plan, samples={6: quarters(1.0, step_min=120)}))
    assert (found.severity, found.measured) == ("fail", 7200)
    assert reason("Q02", case(**plan)) == "no_data"


def test_q04_a_day_that_begins_at_ten_past_midnight_fails() -> None:
    plan: dict[str, Any] = {"assets": [meter()], "tags": [tag(6)]}
    found = one("Q04", case(**plan, samples={6: quarters(1.0, start_day=10 / 1440, step_min=60)}))
    assert (found.severity, found.measured) == ("fail", 600)
    assert len(found.shown) == DAYS
    assert severities("Q04", case(**plan, samples={6: quarters(1.0)})) == {"pass"}


def test_q05_a_batch_after_four_working_days_is_late() -> None:
    late = batch(received_at=at(4.6))
    found = one("Q05", case(batches=[batch(1), batch(2, received_at=late.received_at)]))
    assert (found.severity, found.measured) == ("fail", 4)
    assert found.shown == ({"gateway": "gw", "batch": "2"},)
    weekend = batch(first_ts=at(4.5), last_ts=at(4.6), received_at=at(8.6))
    assert one("Q05", case(batches=[weekend])).measured == 2  # Monday and Tuesday
    assert severities("Q05", case(batches=[weekend])) == {"pass"}
    assert reason("Q05", case(batches=[batch(imported=True, received_at=at(6))])) == "no_batches"


def test_q06_raw_data_kept_for_a_month_are_too_few() -> None:
    def keeping(days: float) -> set[str]:
        return severities("Q06", case(limits={1: Limits(retention_days=days)}))

    assert keeping(30) == {"fail"}
    assert keeping(200) == {"pass"}
    assert reason("Q06", case()) == "no_retention"


def test_p22_a_clock_that_is_two_or_ten_minutes_off() -> None:
    assert severities("P22", case(batches=[batch(clock_skew_s=-120.0)])) == {"warn"}
    assert severities("P22", case(batches=[batch(clock_skew_s=600.0)])) == {"fail"}
    assert severities("P22", case(batches=[batch()])) == {"pass"}
    assert reason("P22", case()) == "no_batches"


def test_p22_rows_from_the_future_fail_whatever_the_clock_says() -> None:
    ahead = batch(7, last_ts=at(0.6) + timedelta(seconds=400))
    found = one("P22", case(batches=[*(batch(seq) for seq in range(1, 7)), ahead]))
    assert (found.severity, found.measured) == ("fail", 395)
    assert found.shown == ({"gateway": "gw", "batch": "7"},)


def test_p23_old_rows_at_equal_steps_in_one_batch_are_an_estimate() -> None:
    filled = batch(first_ts=at(1), last_ts=at(1.9), received_at=at(5), collected_to=at(5))
    given = case(samples={1: quarters(1.0)}, batches=[filled])
    assert severities("P23", given) == {"warn"}
    uneven = quarters(1.0)
    uneven.t_us[::2] += 1234
    assert severities("P23", case(samples={1: uneven}, batches=[filled])) == {"pass"}


def test_p23_what_was_received_in_time_and_only_sent_late_is_measured() -> None:
    spooled = batch(first_ts=at(1), last_ts=at(1.9), received_at=at(5), collected_to=at(1.9))
    assert severities("P23", case(samples={1: quarters(1.0)}, batches=[spooled])) == {"pass"}


def test_p24_a_machine_that_the_baseline_did_not_hear() -> None:
    plan: dict[str, Any] = {"assets": [asset(1, in_oee=True), asset(2, in_oee=True)]}
    heard = {number: hours(known_s=3600) for number in (1, 2)}
    found = one("P24", case(**plan, hours=heard, before=Before(asset_ids=frozenset({1}))))
    assert (found.severity, found.measured) == ("warn", 0.5)
    assert found.shown == ({"asset": "A02"},)
    same = case(**plan, hours=heard, before=Before(asset_ids=frozenset({1, 2})))
    assert severities("P24", same) == {"pass"}
    assert reason("P24", case(hours=heard)) == "no_baseline"


def test_p27_energy_bridged_over_a_tenth_of_the_time() -> None:
    flags = np.zeros(DAYS * 24, np.int64)
    flags[20:37] = FLAG_BRIDGED
    given = case(assets=[meter()], hours={1: hours(energy=5.0, flags=flags)})
    found = one("P27", given)
    assert found.severity == "warn"
    assert found.measured == 17 / 168
    assert len(found.shown) == 1
    assert severities("P27", case(assets=[meter()], hours={1: hours(energy=5.0)})) == {"pass"}


def test_p27_more_than_a_week_in_a_row_fails() -> None:
    flags = np.zeros(30 * 24, np.int64)
    flags[24 : 9 * 24] = FLAG_BRIDGED
    energy = np.where(flags > 0, 0.001, 100.0)
    given = case(assets=[meter()], days=30, hours={1: hours(30, energy=energy, flags=flags)})
    assert severities("P27", given) == {"fail"}
