"""A job that fails is visible, is tried again later and later, and blocks nothing else."""

import os
import signal
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import store
from kpi import jobs
from kpi.errors import BadSchedule, JobFailed
from kpi.jobs import Refresher, Schedule, load_schedule
from kpi.jobs.basis import run_job
from store import facts, job_runs
from store.errors import StoreError
from tests.kpi.plant import RUN, Plant, china, machine_day, sample_plan

DAY, NEXT_DAY = "2026-03-02", china("2026-03-03 03:30")


def broken_asset(plant: Plant) -> None:
    """Two machines with dirty hours, one of which cannot be computed."""
    plant.send(machine_day("M01", DAY))
    plant.send(machine_day("M02", DAY))
    set_state_map(plant, "gone")


def set_state_map(plant: Plant, name: str) -> None:
    """Name the state map of a tag, which the plan may not have."""
    plant.conn.execute("UPDATE registry.tag SET state_map = %s WHERE name = 'M01.state'", (name,))


def let_time_pass(plant: Plant) -> None:
    """Make every retry due."""
    plant.conn.execute("UPDATE kpi.job_retry SET next_try_at = clock_timestamp()")


def waits_s(plant: Plant) -> list[float]:
    """How long from now each piece waits."""
    now = datetime.now(UTC)
    return [(each.next_try_at - now).total_seconds() for each in job_runs.retries(plant.conn)]


def test_a_run_is_listed_with_what_it_did(plant: Plant) -> None:
    plant.send(machine_day("M01", DAY))
    plant.refresh(NEXT_DAY)
    figures, facts = job_runs.recent(plant.conn)
    assert (facts.name, facts.outcome, facts.error) == ("facts", "done", None)
    assert facts.counts == {"done": 1, "failed": 0, "waiting": 0}
    assert facts.ended_at is not None
    assert facts.started_at <= facts.ended_at
    assert (figures.name, figures.outcome) == ("figures", "done")
    plant.refresh(NEXT_DAY)
    assert len(job_runs.recent(plant.conn)) == 2, "with nothing to do nothing is listed"


def test_an_asset_that_fails_is_listed_with_its_error(plant: Plant) -> None:
    broken_asset(plant)
    with pytest.raises(JobFailed):
        plant.facts(NEXT_DAY)
    run = job_runs.recent(plant.conn, "facts")[0]
    assert run.outcome == "failed"
    assert run.error is not None
    assert "1 of 2 failed" in run.error
    assert run.counts == {"done": 1, "failed": 1, "waiting": 0}
    (retry,) = job_runs.retries(plant.conn)
    assert (retry.name, retry.failures, retry.error) == ("facts", 1, "KeyError: 'gone'")


def test_a_failed_asset_waits_twice_as_long_each_time_and_not_for_ever(plant: Plant) -> None:
    broken_asset(plant)
    schedule = Schedule(retry_first_s=100, retry_most_s=350)
    seen = []
    for _ in range(4):
        with pytest.raises(JobFailed, match="'gone'"):
            jobs.run_facts(plant.url, NEXT_DAY, patience=schedule)
        seen += waits_s(plant)
        let_time_pass(plant)
    assert seen == pytest.approx([100, 200, 350, 350], abs=30)


def test_an_asset_that_waits_is_left_alone_and_told_until_it_is_done(plant: Plant) -> None:
    broken_asset(plant)
    schedule = Schedule()
    with pytest.raises(JobFailed, match="1 of 2 failed"):
        jobs.run_facts(plant.url, NEXT_DAY, patience=schedule)
    set_state_map(plant, "cnc")
    with pytest.raises(JobFailed, match="1 failed before and wait to be tried again"):
        jobs.run_facts(plant.url, NEXT_DAY, patience=schedule)
    assert {code for code, _ in plant.dirty()} == {"M01"}
    let_time_pass(plant)
    assert jobs.run_facts(plant.url, NEXT_DAY, patience=schedule) == 1
    assert plant.dirty() == {}
    assert job_runs.retries(plant.conn) == []


def test_who_asks_for_a_refresh_does_not_wait_for_the_next_try(plant: Plant) -> None:
    broken_asset(plant)
    with pytest.raises(JobFailed):
        plant.facts(NEXT_DAY)
    set_state_map(plant, "cnc")
    assert plant.facts(NEXT_DAY) == 1
    assert job_runs.retries(plant.conn) == []


def test_one_factory_that_fails_never_stops_another(plant: Plant) -> None:
    other = Plant.load(plant.conn, plant.url, sample_plan("other"))
    hour_ago = datetime.now(UTC) - timedelta(hours=2)
    for each in (plant, other):
        each.send({"M01.state": [(hour_ago, RUN)]})
    refuse = f"ALTER TABLE kpi.figure ADD CHECK (factory_id <> {other.factory_id})"
    plant.conn.execute(refuse.encode())
    Refresher(plant.url).refresh()
    formed = plant.conn.execute("SELECT DISTINCT factory_id FROM kpi.figure").fetchall()
    assert formed == [(plant.factory_id,)]
    assert [(each.name, each.piece) for each in job_runs.retries(plant.conn)] == [
        ("figures", "other")
    ]


def kill_its_worker() -> None:
    """End the process that it runs in, as the system does with one that takes all memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_asset_that_kills_its_worker_is_listed_and_takes_no_other_along(plant: Plant) -> None:
    plant.send({**machine_day("M01", DAY), **machine_day("M02", DAY)})
    assets = facts.dirty_assets(plant.conn, NEXT_DAY)
    work: dict[str, Callable[[], Any]] = {"poison": kill_its_worker}
    work |= {
        f"asset {each}": partial(jobs.recompute_asset, plant.url, each, NEXT_DAY) for each in assets
    }
    with jobs.local_crew(2) as crew, pytest.raises(JobFailed, match="1 of 3 failed; poison"):
        run_job(plant.url, "facts", work, crew, None)
    assert job_runs.recent(plant.conn, "facts")[0].counts == {"done": 2, "failed": 1, "waiting": 0}
    assert [each.piece for each in job_runs.retries(plant.conn)] == ["poison"]
    assert plant.dirty() == {}
    assert {code for code, _ in plant.fact_versions()} == {"M01", "M02"}


def test_a_run_whose_worker_is_gone_is_listed_as_cut_short(plant: Plant, database_url: str) -> None:
    worker = store.connect(database_url)
    with closing(worker):
        run = job_runs.running(worker, "facts", 90)
        run.__enter__()
        assert [run.outcome for run in job_runs.recent(plant.conn)] == ["running"]
        plant.conn.execute("SELECT pg_terminate_backend(%s, 10000)", (worker.info.backend_pid,))
        with pytest.raises(StoreError):
            run.__exit__(None, None, None)
    assert [run.outcome for run in job_runs.recent(plant.conn)] == ["cut short"]


def test_old_runs_are_forgotten(plant: Plant) -> None:
    for _ in range(2):
        with job_runs.running(plant.conn, "facts", 90):
            plant.conn.execute("UPDATE kpi.job_run SET started_at = started_at - interval '91 d'")
    assert len(job_runs.recent(plant.conn)) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("every_s = 0", "every_s is a whole number from 1 to 86400"),
        ("every_s = true", "every_s is a whole number"),
        ("often = 5", "often is no key; the keys are every_s, retry_first_s"),
        ("retry_first_s = 600\nretry_most_s = 60", "retry_most_s is not below retry_first_s"),
        ("every_s = ", "schedule.toml: Invalid value"),
    ],
)
def test_a_schedule_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "schedule.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSchedule, match=complaint):
        load_schedule(file)


def test_a_schedule_needs_no_key(tmp_path: Path) -> None:
    file = tmp_path / "schedule.toml"
    file.write_text("every_s = 30\n", encoding="utf-8")
    assert load_schedule(file) == Schedule(every_s=30)
