"""The rows of the past: volume, order, heartbeats, outages, month boundaries."""

import numpy as np
import numpy.typing as npt

from simulators import clock, troubles
from simulators.history import BAD_NOT_CONNECTED
from tests.simulators.conftest import Past

Booleans = npt.NDArray[np.bool_]

# So many heartbeats a value is held at the longest.
HELD = 3


def _by_true_clocks(past: Past) -> Booleans:
    """Tell of each row whether its device had the right time; a wrong one comes out of order."""
    skewed = {each.tag for each in past.plant.scenario.trouble if each.kind == "skewed"}
    wrong = [at for at, tag in enumerate(past.plant.tags) if tag.name in skewed]
    return ~np.isin(past.tag_index, wrong)


def test_volume(machining_past: Past, fibre_past: Past) -> None:
    rows = len(machining_past.ts_us) + len(fibre_past.ts_us)
    assert 3_000_000 < rows < 5_000_000


def test_rows_come_in_time_order(past: Past) -> None:
    ts_us = past.ts_us[_by_true_clocks(past)]
    assert (np.diff(ts_us) >= 0).all()
    assert ts_us[0] == past.plant.origin_us
    assert ts_us[-1] < past.plant.as_of_us


def test_no_tag_has_two_rows_of_one_instant(past: Past) -> None:
    for tag in past.plant.tags:
        ts, _ = past.rows(tag.name, good=False)
        assert (np.diff(ts) > 0).all(), tag.name


def test_a_bad_row_has_no_value_and_a_good_one_has(past: Past) -> None:
    bad = past.status != 0
    assert set(np.unique(past.status[bad])) == {BAD_NOT_CONNECTED}
    assert np.isnan(past.value[bad]).all()
    assert not np.isnan(past.value[~bad]).any()
    assert 0 < bad.mean() < 0.001


def test_heartbeats_never_fail_outside_the_link_loss(past: Past) -> None:
    losses = [each for each in past.plant.outages if not each.announced]
    for tag in past.plant.tags:
        ts, _ = past.rows(tag.name, good=False)
        gaps = np.diff(ts) / clock.SECOND_US
        start = ts[:-1][gaps > HELD * tag.heartbeat_s]
        beat_us = tag.heartbeat_s * clock.SECOND_US
        lost = {each.start_us for each in losses if each.source == tag.source}
        assert len(start) == len(lost), tag.name
        for begin in start.tolist():
            assert any(0 <= each - begin <= beat_us for each in lost), tag.name


def test_every_month_boundary_has_a_row_of_every_tag(past: Past) -> None:
    plant = past.plant
    for months in range(-12, 13):
        first = clock.add_months(plant.renovation, months)
        instant = clock.midnight_us(clock.day_number(first))
        expected = {at for at, tag in enumerate(plant.tags) if plant.heard_from_us(tag) <= instant}
        assert set(past.tag_index[past.ts_us == instant].tolist()) == expected


def test_the_link_loss_leaves_nothing_but_the_business_systems(fibre_past: Past) -> None:
    loss = next(each for each in fibre_past.plant.outages if not each.announced)
    assert loss.end_us - loss.start_us == 48 * 3600 * clock.SECOND_US
    inside = (fibre_past.ts_us >= loss.start_us) & (fibre_past.ts_us < loss.end_us)
    sources = {fibre_past.plant.tags[at].source for at in np.unique(fibre_past.tag_index[inside])}
    assert sources == {"mqtt"}
    day = clock.to_datetime(loss.start_us).date().isoformat()
    assert any(
        each["kind"] == "inspection" and each["at"].startswith(day) for each in fibre_past.records
    )


def test_registers_go_on_counting_through_the_link_loss(fibre_past: Past) -> None:
    loss = next(each for each in fibre_past.plant.outages if not each.announced)
    ts, value = fibre_past.rows("SP1.total")
    at = int(np.searchsorted(ts, loss.end_us))
    assert ts[at] == loss.end_us
    assert value[at] - value[at - 1] > 40_000


def test_robots_are_silent_before_the_renovation(machining_past: Past) -> None:
    for name in ("R01.state", "R02.total"):
        ts, _ = machining_past.rows(name, good=False)
        assert ts[0] == machining_past.plant.renovation_us


def test_a_product_change_stores_the_counters(machining_past: Past) -> None:
    ts, product = machining_past.rows("M01.product")
    changes = ts[1:][np.diff(product) != 0]
    off_grid = changes[changes % clock.QUARTER_US != 0]
    counted, _ = machining_past.rows("M01.total")
    assert len(off_grid) > 300
    assert np.isin(off_grid, counted).mean() > 0.99


def test_a_row_equals_the_live_value_of_its_instant(past: Past) -> None:
    chosen = np.flatnonzero((past.status == 0) & _by_true_clocks(past))[::9973]
    for at in chosen.tolist():
        signal = past.plant.signals[int(past.tag_index[at])]
        assert signal.at(past.ts_us[at : at + 1])[0] == past.value[at]


def test_chunks_of_another_length_hold_the_same_rows(past: Past) -> None:
    count, total = 0, 0.0
    for chunk in past.plant.history(chunk_days=61):
        count += len(chunk)
        total += float(np.nansum(chunk.ts_us % 1_000_003))
    assert count == len(past.ts_us)
    assert total == float(np.sum(past.ts_us % 1_000_003))


def test_a_clock_that_is_ahead_writes_later_times(fibre_past: Past) -> None:
    """Each value is as it was ten minutes before the time that the device gave it."""
    plant = fibre_past.plant
    index = next(at for at, tag in enumerate(plant.tags) if tag.name == "PK1.vibration")
    ts, value = fibre_past.rows("PK1.vibration")
    (trouble,) = (each for each in plant.scenario.trouble if each.kind == "skewed")
    since = troubles.span_of(trouble, plant.renovation).start_us + 3600 * clock.SECOND_US
    shown, written = value[ts >= since], ts[ts >= since]
    assert len(written) > 200
    assert written[-1] > plant.as_of_us - 3600 * clock.SECOND_US
    assert (plant.signals[index].at(written - 600 * clock.SECOND_US) == shown).all()
