"""Bulk recomputation gives the same facts, whoever does it and however often it is cut short."""

import threading
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import distributed
import pytest

import store
from kpi import jobs
from kpi.errors import ClusterUnavailable
from kpi.jobs import fact_job
from store import facts, registry
from tests.kpi.plant import Plant, Readings, china, every, machine_day, sample_plan
from tests.support.database import cloned_database, filled_template
from tests.support.waiting import wait_for

DAYS = ("2026-03-02", "2026-03-03", "2026-03-09")
NOW = china("2026-03-11 03:30")


@pytest.fixture(scope="module")
def formed(database_server: str) -> tuple[str, Plant]:
    """The name of a database of that factory, which each test clones, and its gateway."""
    return filled_template(database_server, lambda conn, url: _brought_up(Plant.load(conn, url)))


@pytest.fixture
def busy(database_server: str, formed: tuple[str, Plant]) -> Iterator[Plant]:
    """Three days of two machines and a meter, brought up to date."""
    name, made = formed
    with cloned_database(database_server, name) as url, closing(store.connect(url)) as conn:
        yield replace(made, url=url, conn=conn, gateway=deepcopy(made.gateway))


def _brought_up(plant: Plant) -> Plant:
    begin = 0.0
    for day in DAYS:
        for code in ("M01", "M02"):
            plant.send(machine_day(code, day, begin=begin))
        begin += 400
    plant.send(
        {"EM01.energy": every(15, china("2026-03-02 00:10"), china("2026-03-10 00:00"), 7, 2)}
    )
    plant.refresh(NOW)
    return plant


def factory(plant: Plant) -> registry.Factory:
    """The factory as the jobs know it."""
    return registry.factory_by_code(plant.conn, "sample")


def digests(plant: Plant) -> list[tuple[Any, ...]]:
    """The fingerprints of all figures, with their revisions."""
    return plant.conn.execute(
        "SELECT kpi, period_kind, period_start, revision, encode(inputs_sha256, 'hex')"
        " FROM kpi.figure ORDER BY 1, 2, 3, 4"
    ).fetchall()


def spoil(plant: Plant) -> None:
    """Change every fact, so that only what is computed again can be right."""
    plant.conn.execute("UPDATE kpi.fact_hour SET row_count = row_count + 1, digest = 0")


def mark(plant: Plant, start: date | None = None, end: date | None = None) -> None:
    """Mark a range of the factory for recomputation."""
    jobs.mark_range(plant.conn, [factory(plant)], start, end, NOW)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Dask cluster of two processes on this machine."""
    make: Any = distributed.LocalCluster
    with make(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as found:
        yield found.scheduler_address


def test_recomputing_on_processes_gives_the_same_to_the_last_bit(busy: Plant) -> None:
    rows, figures = busy.fact_rows(), digests(busy)
    spoil(busy)
    mark(busy)
    with jobs.local_crew(2) as pool:
        assert jobs.recompute_marked(busy.url, [factory(busy)], NOW, pool) == 3
        jobs.run_figures(busy.url, NOW, pool)
    assert busy.fact_rows() == rows
    assert digests(busy) == figures, "nothing changed, so nothing is revised"


def test_recomputing_on_dask_gives_the_same_to_the_last_bit(busy: Plant, cluster: str) -> None:
    rows, figures = busy.fact_rows(), digests(busy)
    for _ in range(2):
        spoil(busy)
        mark(busy)
        with jobs.dask_crew(cluster) as pool:
            assert jobs.recompute_marked(busy.url, [factory(busy)], NOW, pool) == 3
            jobs.run_figures(busy.url, NOW, pool)
        assert busy.fact_rows() == rows
    assert digests(busy) == figures


def test_a_cluster_that_does_not_answer_is_told_in_one_line(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpi.jobs.crew._CONNECT_S", 0.5)
    address = f"tcp://127.0.0.1:{free_port}"
    with (
        pytest.raises(ClusterUnavailable, match="no Dask scheduler answers"),
        jobs.dask_crew(address),
    ):
        pass


def test_pieces_of_any_size_give_the_same_facts(
    busy: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = busy.fact_rows()
    monkeypatch.setattr(fact_job, "_FIRST_HOURS", 6)
    for most_rows in (1, 40, 1_000_000):
        monkeypatch.setattr(fact_job, "_MOST_ROWS", most_rows)
        spoil(busy)
        mark(busy)
        jobs.recompute_marked(busy.url, [factory(busy)], NOW)
        assert busy.fact_rows() == rows, most_rows


def test_what_was_cut_short_is_taken_up_where_it_stopped(
    busy: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = busy.fact_rows()
    monkeypatch.setattr(fact_job, "_FIRST_HOURS", 24)
    monkeypatch.setattr(fact_job, "_MOST_PIECES", 1)
    spoil(busy)
    mark(busy)
    jobs.recompute_marked(busy.url, [factory(busy)], NOW)
    monkeypatch.setattr(fact_job, "_MOST_PIECES", 100)
    left = {hour for _, hour in busy.dirty()}
    assert min(left) >= china("2026-03-03 00:00"), "the first day stays done"
    versions = busy.fact_versions()
    jobs.recompute_marked(busy.url, [factory(busy)], NOW)
    assert busy.fact_rows() == rows
    early = {key for key in versions if key[1] < china("2026-03-02 20:00")}
    assert {key: busy.fact_versions()[key] for key in early} == {
        key: versions[key] for key in early
    }


def test_only_the_range_that_was_asked_for_is_computed_again(busy: Plant) -> None:
    before = busy.fact_versions()
    mark(busy, date(2026, 3, 3), date(2026, 3, 4))
    jobs.recompute_marked(busy.url, [factory(busy)], NOW)
    after = busy.fact_versions()
    changed = {hour for (code, hour), version in after.items() if before[code, hour] != version}
    assert min(changed) >= china("2026-03-02 22:00")
    # The machines fell silent that night: their counts are bridged to their next readings.
    meters = {
        hour for (code, hour), version in after.items()
        if code == "EM01" and before[code, hour] != version
    }  # fmt: skip
    assert max(meters) <= china("2026-03-04 00:00")
    assert before.keys() == after.keys()


def test_another_factory_is_left_alone(busy: Plant) -> None:
    other = Plant.load(busy.conn, busy.url, sample_plan("other"))
    other.send(machine_day("M01", DAYS[0]))
    mark(busy)
    assert jobs.recompute_marked(busy.url, [factory(busy)], NOW) == 3
    assert {code for code, _ in busy.dirty()} == {"M01"}


def test_several_processes_share_the_dirty_hours_without_meeting(busy: Plant) -> None:
    """Each process runs the whole job; every asset is recomputed by just one of them."""
    rows = busy.fact_rows()
    spoil(busy)
    mark(busy)
    before = busy.fact_versions()
    with jobs.local_crew(3) as pool:
        running = [pool.submit(jobs.run_facts, busy.url, NOW) for _ in range(3)]
        found = [future.result(timeout=120) for future in running]
    assert max(found) == 3
    assert busy.dirty() == {}
    assert busy.fact_rows() == rows
    assert all(version != before[key] for key, version in busy.fact_versions().items())


def test_marks_that_one_worker_holds_are_neither_waited_for_nor_taken(busy: Plant) -> None:
    mark(busy)
    asset_id = facts.dirty_assets(busy.conn, NOW)[0]
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with (
            closing(store.connect(busy.url)) as conn,
            facts.claimed(conn, asset_id, NOW, 48) as dirty,
        ):
            assert dirty is not None
            entered.set()
            leave.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        wait_for(entered.is_set, "the holder")
        with facts.claimed(busy.conn, asset_id, NOW) as dirty:
            assert dirty is None
        assert jobs.recompute_asset(busy.url, asset_id, NOW) == 0
    finally:
        leave.set()
        holder.join(60)
    with facts.claimed(busy.conn, asset_id, NOW) as dirty:
        assert dirty is not None
        first = min(dirty.hours)
    assert first - china("2026-03-02 00:00") == timedelta(hours=48), "the rest is still marked"


def readings_of_a_gap() -> Readings:
    """A machine that is silent for days in the middle."""
    return {
        "M01.total": [(china("2026-03-02 08:00"), 0), (china("2026-03-09 08:00"), 700)],
        "M01.state": [(china("2026-03-02 08:00"), 1), (china("2026-03-09 08:00"), 1)],
    }


def test_a_gap_of_days_is_the_same_in_pieces_as_in_one(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.send(readings_of_a_gap())
    plant.facts(NOW)
    rows = plant.fact_rows()
    monkeypatch.setattr(fact_job, "_FIRST_HOURS", 6)
    monkeypatch.setattr(fact_job, "_MOST_ROWS", 1)
    mark(plant)
    jobs.recompute_marked(plant.url, [factory(plant)], NOW)
    assert plant.fact_rows() == rows
