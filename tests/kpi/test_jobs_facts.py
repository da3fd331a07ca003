"""The fact job on a real database: which hours it recomputes, and that nothing depends on when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

import store
from kpi import jobs
from kpi.errors import JobFailed
from store import batches
from tests.kpi.plant import CHINA, IDLE, RUN, Plant, china, every, machine_day, sample_plan

DAY = "2026-03-02"
NEXT_DAY = china("2026-03-03 03:30")


def facts_of(plant: Plant, code: str, column: str) -> dict[int, Any]:
    """One column of an asset's facts of the day, by local hour."""
    rows = plant.conn.execute(
        "SELECT h.hour, to_jsonb(h) -> %s FROM kpi.fact_hour h JOIN registry.asset a"
        " USING (asset_id) WHERE a.code = %s",
        (column, code),
    )
    day = china(f"{DAY} 00:00")
    return {(hour.astimezone(CHINA) - day) // timedelta(hours=1): value for hour, value in rows}


def hours(code: str, *numbers: int) -> set[tuple[str, datetime]]:
    """Hours of the day as keys of versions and marks."""
    return {(code, china(f"{DAY} 00:00") + timedelta(hours=number)) for number in numbers}


def changed(before: dict[Any, str], after: dict[Any, str]) -> set[Any]:
    """The facts that another transaction wrote, or that are new."""
    return {key for key, version in after.items() if before.get(key) != version}


def test_hours_become_dirty_when_rows_arrive_and_clean_when_they_are_computed(
    plant: Plant,
) -> None:
    plant.send({"M01.state": every(15, china(f"{DAY} 08:05"), china(f"{DAY} 10:00"))})
    assert plant.dirty() == {("M01", china(f"{DAY} 08:00")): 2}
    assert plant.fact_rows() == []
    assert plant.facts(NEXT_DAY) == 1
    # The last row, of 09:50, speaks until 10:35.
    assert facts_of(plant, "M01", "run_s") == {8: 3300, 9: 3600, 10: 2100}
    assert facts_of(plant, "M01", "unknown_s") == {8: 300, 9: 0, 10: 1500}
    assert plant.dirty() == {}
    assert plant.facts(NEXT_DAY) == 0


def test_a_missing_batch_makes_the_state_around_it_doubtful_until_it_comes(plant: Plant) -> None:
    def batch(*states: tuple[str, int]) -> batches.Batch:
        told = {"M01.state": [(china(f"{DAY} {at}"), state) for at, state in states]}
        return plant.gateway.batch(plant.rows(told))

    first = batch(("09:30", RUN), ("09:45", RUN), ("10:00", RUN))
    missed = batch(("10:05", IDLE))
    last = batch(("10:10", RUN), ("10:25", RUN), ("10:40", RUN), ("10:55", RUN), ("11:10", RUN))
    for each in (first, last):
        batches.accept(plant.conn, each)
    plant.facts(NEXT_DAY)
    assert facts_of(plant, "M01", "run_doubt_s")[10] == 600
    assert facts_of(plant, "M01", "run_s")[10] == 3600
    batches.accept(plant.conn, missed)
    plant.facts(NEXT_DAY)
    assert facts_of(plant, "M01", "run_doubt_s")[10] == 0
    assert facts_of(plant, "M01", "idle_s")[10] == 300


def test_a_batch_that_fills_a_gap_changes_machines_of_which_it_tells_nothing(plant: Plant) -> None:
    def batch(tag: str, *states: tuple[str, int]) -> batches.Batch:
        told = {tag: [(china(f"{DAY} {at}"), state) for at, state in states]}
        return plant.gateway.batch(plant.rows(told))

    batches.accept(plant.conn, batch("M01.state", ("09:45", RUN), ("10:00", RUN)))
    missed = batch("M02.state", ("10:05", IDLE))
    batches.accept(plant.conn, batch("M01.state", ("10:10", RUN), ("10:25", RUN), ("10:40", RUN)))
    plant.facts(NEXT_DAY)
    assert facts_of(plant, "M01", "run_doubt_s")[10] >= 600
    before = facts_of(plant, "M01", "run_doubt_s")[10]
    batches.accept(plant.conn, missed)
    plant.facts(NEXT_DAY)
    assert facts_of(plant, "M01", "run_doubt_s")[10] == before - 600


def test_facts_are_written_as_they_are_computed(plant: Plant) -> None:
    plant.send(machine_day("M01", DAY))
    energy = {"EM01.energy": every(15, china(f"{DAY} 00:00"), china("2026-03-03 00:15"), 50, 2.5)}
    plant.send(energy)
    plant.facts(NEXT_DAY)
    planned = facts_of(plant, "M01", "planned_s")
    assert [hour for hour in range(24) if planned[hour] == 3600] == list(range(8, 16))
    assert facts_of(plant, "M01", "total")[9] == 40
    assert facts_of(plant, "M01", "good")[9] == 36
    assert facts_of(plant, "M01", "ideal_good_s")[9] == 36 * 60
    assert facts_of(plant, "M01", "energy")[9] is None
    assert facts_of(plant, "EM01", "energy")[9] == 10
    assert facts_of(plant, "EM01", "total")[9] is None


def test_the_running_hour_is_left_alone_until_it_has_ended(plant: Plant) -> None:
    plant.send({"M01.state": every(15, china(f"{DAY} 08:00"), china(f"{DAY} 09:30"))})
    plant.facts(china(f"{DAY} 09:59:59"))
    assert set(facts_of(plant, "M01", "run_s")) == {8}
    assert set(plant.dirty()) == hours("M01", 9)
    plant.facts(china(f"{DAY} 10:00"))
    assert facts_of(plant, "M01", "run_s") == {8: 3600, 9: 3600}


def test_what_the_last_row_says_goes_into_the_next_hour_even_if_nothing_follows(
    plant: Plant,
) -> None:
    plant.send({"M01.state": [(china(f"{DAY} 08:50"), RUN)]})
    plant.facts(china(f"{DAY} 09:10"))
    assert facts_of(plant, "M01", "run_s") == {8: 600}
    plant.facts(china(f"{DAY} 10:10"))
    assert facts_of(plant, "M01", "run_s") == {8: 600, 9: 35 * 60}
    assert plant.dirty() == {}


def test_a_late_row_recomputes_its_asset_and_the_hours_around_it_alone(plant: Plant) -> None:
    plant.send(machine_day("M01", DAY))
    plant.send(machine_day("M02", DAY))
    plant.facts(NEXT_DAY)
    before = plant.fact_versions()
    assert len(before) == 2 * 24 + 2, "both machines speak into the next day"
    plant.send({"M01.state": [(china(f"{DAY} 12:20"), 3)]})
    assert plant.facts(NEXT_DAY) == 1
    assert changed(before, plant.fact_versions()) == hours("M01", 11, 12, 13)
    assert facts_of(plant, "M01", "stop_s")[12] == 600
    assert facts_of(plant, "M02", "stop_s")[12] == 0


def test_a_late_reading_in_a_gap_recomputes_what_its_neighbours_bridged(plant: Plant) -> None:
    readings = [(china(f"{DAY} {time}"), value) for time, value in (("03:00", 0), ("09:00", 36))]
    plant.send({"EM01.energy": readings})
    plant.facts(NEXT_DAY)
    assert [facts_of(plant, "EM01", "energy")[hour] for hour in range(3, 9)] == [6] * 6
    before = plant.fact_versions()
    plant.send({"EM01.energy": [(china(f"{DAY} 06:00"), 30)]})
    plant.facts(NEXT_DAY)
    assert [facts_of(plant, "EM01", "energy")[hour] for hour in range(3, 9)] == [10] * 3 + [2] * 3
    assert changed(before, plant.fact_versions()) == hours("EM01", *range(3, 10))


def test_a_tag_that_was_silent_for_months_costs_nothing(plant: Plant) -> None:
    plant.send({"M01.reject": [(china("2025-06-01 10:00"), 4)]})
    plant.send(machine_day("M01", DAY))
    plant.conn.execute(
        "DELETE FROM telemetry.measurement WHERE tag_id = %s AND ts > '2026-01-01'",
        (plant.gateway.tags["M01.reject"],),
    )
    plant.facts(NEXT_DAY)
    before = plant.fact_versions()
    plant.send({"M01.state": [(china(f"{DAY} 12:20"), 3)]})
    plant.facts(NEXT_DAY)
    assert changed(before, plant.fact_versions()) == hours("M01", 11, 12, 13)


def test_a_clock_that_begins_in_1970_does_not_make_decades_of_facts(plant: Plant) -> None:
    plant.send({"M01.total": [(china("1970-01-02 00:00"), 0)]})
    plant.send({"M01.total": [(china("2025-01-03 00:00"), 100), (china("2025-01-03 05:30"), 103)]})
    plant.facts(NEXT_DAY)
    first = min(hour for _, hour in plant.fact_versions())
    assert first == china("2025-01-01 00:00"), "no figure looks before the baseline"
    assert len(plant.fact_rows()) == 2 * 24 + 7


def test_a_row_from_before_the_baseline_still_begins_its_first_hour(plant: Plant) -> None:
    readings = [(china("2024-12-31 22:00"), 0), (china("2025-01-01 02:00"), 8)]
    plant.send({"EM01.energy": readings})
    plant.facts(NEXT_DAY)
    hours_ = plant.conn.execute("SELECT hour, energy FROM kpi.fact_hour ORDER BY hour").fetchall()
    assert [(hour.astimezone(CHINA), energy) for hour, energy in hours_][:2] == [
        (china("2025-01-01 00:00"), 2),
        (china("2025-01-01 01:00"), 2),
    ]


def test_a_clock_that_runs_years_ahead_bridges_nothing(plant: Plant) -> None:
    plant.send(machine_day("M01", DAY))
    plant.facts(NEXT_DAY)
    before = plant.fact_rows()
    plant.send({"M01.total": [(china("2199-01-01 00:00"), 999)]})
    plant.send({"M01.state": [(china(f"{DAY} 23:45"), RUN)]})
    plant.facts(NEXT_DAY)
    assert plant.fact_rows() == before
    assert {hour for _, hour in plant.dirty()} == {china("2199-01-01 00:00")}


def shuffled_day(plant: Plant, seed: int) -> list[dict[str, list[tuple[datetime, float]]]]:
    """A day of two machines and the meter with spikes, resets and gaps, cut and shuffled."""
    source = np.random.default_rng(seed)
    readings = {**machine_day("M01", DAY), **machine_day("M02", DAY, 3, 4294967290)}
    readings["EM01.energy"] = every(15, china(f"{DAY} 00:00"), china("2026-03-03 00:00"), 7, 2.5)
    flat = [(name, at, value) for name, each in readings.items() for at, value in each]
    odd = source.random(len(flat))
    values = [
        (name, at, -1.0 if rare < 0.02 else 9e6 if rare < 0.05 else value % 4294967296)
        for (name, at, value), rare in zip(flat, odd, strict=True)
        if rare < 0.9
    ]
    order = source.permutation(len(values))
    cut: list[dict[str, list[tuple[datetime, float]]]] = []
    for piece in np.array_split(order, 5):
        part: dict[str, list[tuple[datetime, float]]] = {}
        for index in piece:
            name, at, value = values[index]
            part.setdefault(name, []).append((at, value))
        cut.append(part)
    return cut


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_facts_from_scratch_are_the_same_to_the_last_bit(plant: Plant, seed: int) -> None:
    for part in shuffled_day(plant, seed):
        plant.send(part)
        plant.facts(NEXT_DAY)
    step_by_step = plant.fact_rows()
    assert len(step_by_step) >= 3 * 24
    plant.mark_everything()
    plant.facts(NEXT_DAY)
    assert plant.fact_rows() == step_by_step


def test_two_workers_at_once_write_what_one_writes(plant: Plant) -> None:
    for part in shuffled_day(plant, 4):
        plant.send(part)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(jobs.run_facts, plant.url, NEXT_DAY) for _ in range(2)]
        assert max(future.result(timeout=60) for future in running) == 3
    assert plant.dirty() == {}
    together = plant.fact_rows()
    plant.mark_everything()
    assert plant.facts(NEXT_DAY) == 3
    assert plant.fact_rows() == together


def test_a_worker_leaves_an_asset_that_another_holds(plant: Plant) -> None:
    plant.send(machine_day("M01", DAY))
    plant.send(machine_day("M02", DAY))
    asset_id = plant.conn.execute("SELECT asset_id FROM registry.asset WHERE code = 'M01'")
    held = asset_id.fetchone()
    assert held is not None
    before = jobs.last_full_hour(NEXT_DAY)
    with store.facts.claimed(plant.conn, held[0], before) as dirty:
        assert dirty is not None
        plant.facts(NEXT_DAY)
    assert {code for code, _ in plant.fact_versions()} == {"M02"}


def test_an_asset_that_fails_keeps_its_marks_and_stops_no_other(plant: Plant) -> None:
    plant.send(machine_day("M01", DAY))
    plant.send(machine_day("M02", DAY))
    plant.conn.execute("UPDATE registry.tag SET state_map = 'gone' WHERE name = 'M01.state'")
    with pytest.raises(JobFailed, match=r"1 of 2 failed; asset \d+: 'gone'"):
        plant.facts(NEXT_DAY)
    assert {code for code, _ in plant.fact_versions()} == {"M02"}
    assert {code for code, _ in plant.dirty()} == {"M01"}
    plant.conn.execute("UPDATE registry.tag SET state_map = 'cnc' WHERE name = 'M01.state'")
    plant.facts(NEXT_DAY)
    assert {code for code, _ in plant.fact_versions()} == {"M01", "M02"}


def test_a_meter_of_another_factory_is_read_by_its_own_plan(plant: Plant) -> None:
    plan = sample_plan("other")
    plan["assets"][2]["tags"][0]["ratio"] = 10.0
    other = Plant.load(plant.conn, plant.url, plan)
    for each in (plant, other):
        each.send({"EM01.energy": every(15, china(f"{DAY} 08:00"), china(f"{DAY} 09:15"), 0, 1)})
    plant.facts(NEXT_DAY)
    rows = plant.conn.execute(
        "SELECT f.code, h.energy FROM kpi.fact_hour h JOIN registry.asset a USING (asset_id)"
        " JOIN registry.factory f USING (factory_id) WHERE h.energy IS NOT NULL"
    )
    assert dict(rows.fetchall()) == {"sample": 4, "other": 40}


def test_progress_is_told_asset_by_asset(plant: Plant) -> None:
    plant.send({**machine_day("M01", DAY), **machine_day("M02", DAY)})
    told: list[tuple[str, int, int]] = []
    jobs.run_facts(plant.url, NEXT_DAY, None, lambda *step: told.append(step))
    assert told == [("facts", 1, 2), ("facts", 2, 2)]
