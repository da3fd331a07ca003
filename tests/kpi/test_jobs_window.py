"""One dirty hour costs what the months around it cost; figures come out as from all evidence."""

from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

import store
from kpi import jobs
from kpi.errors import JobFailed
from kpi.figures import estimates, figure
from kpi.figures.basis import Period
from kpi.jobs import evidence, figure_job
from store import facts, registry
from tests.kpi.plant import Plant, balance, china, every, heard, lot, machine_day, sample_plan
from tests.support.database import cloned_database, filled_template

NOW = china("2026-06-02 09:20")


@pytest.fixture(scope="module")
def formed(database_server: str) -> tuple[str, Plant]:
    """The name of a database of that factory, which each test clones, and its gateway."""
    return filled_template(database_server, lambda conn, url: _formed_years(Plant.load(conn, url)))


@pytest.fixture
def years(database_server: str, formed: tuple[str, Plant]) -> Iterator[Plant]:
    """Seventeen months with something in each, brought up to date."""
    name, made = formed
    with cloned_database(database_server, name) as url, closing(store.connect(url)) as conn:
        yield replace(made, url=url, conn=conn, gateway=deepcopy(made.gateway))


def _formed_years(plant: Plant) -> Plant:
    for number in range(17):
        day = date(2025 + number // 12, number % 12 + 1, 10)
        plant.send(machine_day("M01", day.isoformat(), begin=number * 320))
        plant.send(machine_day("M02", day.isoformat(), 7, begin=number * 320))
        plant.tell(lot(day.isoformat(), number), balance(day.isoformat(), "raw", 5 + number))
    # Two readings a month bridge whole months, over each of their edges.
    plant.send({"EM01.energy": every(60 * 24 * 15, china("2025-01-05 00:00"), NOW, 0, 100)})
    plant.send(heard(date(2025, 1, 1), date(2026, 6, 2)))
    plant.refresh(NOW)
    return plant


def test_figures_of_a_window_are_those_of_all_evidence(years: Plant) -> None:
    factory = registry.factory_by_code(years.conn, "sample")
    until = jobs.last_full_hour(NOW)
    whole = evidence.gathered(years.conn, factory, until)
    for period in (
        Period("month", date(2025, 1, 1), date(2025, 2, 1)),
        Period("month", date(2026, 2, 1), date(2026, 3, 1)),
        Period("month", date(2026, 6, 1), date(2026, 7, 1), is_open=True),
        Period("rolling12", date(2025, 5, 1), date(2026, 5, 1)),
    ):
        part = evidence.gathered(years.conn, factory, until, (period.start, period.end))
        assert len(part.days.of_asset) > 0
        assert _formed(part, period) == _formed(whole, period)


def _formed(found: Any, period: Period) -> list[Any]:
    return [figure(1, period, each, found.until) for each in estimates(found, period)]


def test_a_late_hour_reads_the_facts_of_the_years_around_it_alone(
    years: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[Any, Any]] = []
    whole = facts.day_sums

    def day_sums(conn: Any, factory_id: int, zone: str, start: Any, end: Any, days: Any) -> Any:
        read.append((start, end))
        return whole(conn, factory_id, zone, start, end, days)

    monkeypatch.setattr(facts, "day_sums", day_sums)
    years.send({"M01.state": [(china("2026-05-10 12:20"), 3)]})
    years.refresh(NOW)
    # The year that ends with May, and the thirty days before it that its first month may look at.
    assert read == [(china("2025-05-01 00:00"), china("2026-06-01 00:00"))]


def test_years_whose_basis_was_not_kept_are_read_too(years: Plant) -> None:
    factory = registry.factory_by_code(years.conn, "sample")
    months = [Period("month", date(2026, 5, 1), date(2026, 6, 1))]
    since = {date(2026, 1, 1)}
    window = figure_job._window(years.conn, factory, months, since, date(2026, 6, 2))
    assert window == (date(2026, 5, 1), date(2026, 6, 1))
    years.conn.execute("DELETE FROM kpi.verdict_basis")
    window = figure_job._window(years.conn, factory, months, since, date(2026, 6, 2))
    assert window == (date(2025, 1, 1), date(2026, 6, 1))


def test_a_month_earlier_than_all_figures_leaves_no_hole_behind_it(plant: Plant) -> None:
    plant.send(machine_day("M01", "2026-05-10"))
    plant.refresh(NOW)
    plant.send(machine_day("M01", "2026-02-10"))
    plant.refresh(NOW)
    rows = plant.conn.execute(
        "SELECT period_start, max(revision) > 0 FROM kpi.figure WHERE kpi = 'oee'"
        " AND period_kind = 'month' GROUP BY 1 ORDER BY 1"
    )
    assert rows.fetchall() == [(date(2026, month, 1), month < 6) for month in range(2, 7)]


def test_months_far_apart_that_come_at_once_leave_no_hole_between_them(plant: Plant) -> None:
    plant.send(machine_day("M01", "2025-11-10"))
    plant.send(machine_day("M01", "2026-03-10"))
    plant.refresh(NOW)
    rows = plant.conn.execute(
        "SELECT count(DISTINCT period_start) FROM kpi.figure WHERE kpi = 'oee'"
        " AND period_kind = 'month'"
    )
    assert rows.fetchone() == (8,)


def test_a_month_that_came_late_does_not_hide_one_that_is_to_be_closed(plant: Plant) -> None:
    plant.send(machine_day("M01", "2026-03-10"))
    plant.refresh(china("2026-03-11 09:20"))
    plant.send(machine_day("M01", "2026-05-10"))
    plant.refresh(NOW)
    rows = plant.conn.execute(
        "SELECT period_start FROM kpi.figure WHERE kpi = 'oee' AND period_kind = 'month'"
        " AND revision > 0 ORDER BY 1"
    )
    assert [start.month for (start,) in rows] == [3, 4, 5]


def test_factories_that_are_up_to_date_are_not_looked_at(plant: Plant) -> None:
    other = Plant.load(plant.conn, plant.url, sample_plan("other"))
    for each in (plant, other):
        each.send(machine_day("M01", "2026-05-10"))
    plant.refresh(NOW)
    plant.send({"M01.state": [(china("2026-05-10 12:20"), 3)]})
    plant.facts(NOW)
    assert plant.figures(NOW) == 1


def test_what_came_due_by_time_and_failed_is_due_again(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.send(machine_day("M01", "2026-05-10"))
    plant.refresh(NOW)
    later = NOW + timedelta(hours=3)
    with monkeypatch.context() as broken:
        broken.setattr(figure_job.figures, "publish_all", _fails)
        with pytest.raises(JobFailed, match="sample: no"):
            plant.figures(later)
    assert plant.figures(later) == 1
    assert plant.figures(later) == 0


def _fails(*_given: Any) -> None:
    raise ValueError("no")
