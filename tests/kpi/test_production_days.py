"""A night shift belongs to the day on which it starts, also over the end of a month."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import store
from kpi import jobs
from kpi.calendar import local_midnight, production_edges, production_start, production_time
from kpi.jobs.reliability import reliabilities
from kpi.losses import waterfall
from kpi.provenance import audit
from kpi.provenance.explain import explain
from store import registry
from store.figures import Figure, revisions
from tests.kpi.builders import monitoring_plan, shift
from tests.kpi.plant import IDLE, RUN, Plant, china, every, sample_plan

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
_NIGHTS = [shift(weekday, "20:00", 11.5) for weekday in range(1, 8)]


def _local(text: str) -> datetime:
    return china(text).astimezone(UTC)


def test_a_production_day_begins_when_the_last_shift_of_the_day_before_ends() -> None:
    plan = monitoring_plan(shifts=_NIGHTS)
    assert production_start(plan, APRIL) == _local("2026-04-01 07:30")
    assert production_edges(plan, date(2026, 3, 31), 2) == [
        _local("2026-03-31 07:00"),
        _local("2026-04-01 07:30"),
        _local("2026-04-02 07:00"),
    ]


def test_without_a_night_shift_it_begins_at_midnight() -> None:
    plan = monitoring_plan(shifts=[shift(weekday, "08:00", 8) for weekday in range(1, 8)])
    assert production_start(plan, APRIL) == local_midnight(APRIL, "Asia/Shanghai")
    assert production_time(plan, _local("2026-04-01 00:00")) == _local("2026-04-01 00:00")


def test_a_holiday_takes_its_night_shift_along_and_leaves_that_of_the_day_before() -> None:
    plan = monitoring_plan(shifts=_NIGHTS, holidays=[date(2026, 3, 31)])
    assert production_start(plan, APRIL) == local_midnight(APRIL, "Asia/Shanghai")
    plan = monitoring_plan(shifts=_NIGHTS, holidays=[APRIL])
    assert production_start(plan, APRIL) == _local("2026-04-01 07:30")


def test_a_month_goes_on_until_its_last_shift_has_ended() -> None:
    plan = monitoring_plan(shifts=_NIGHTS)
    assert production_time(plan, _local("2026-04-01 07:00")) < _local("2026-04-01 00:00")
    assert production_time(plan, _local("2026-04-01 08:00")) == _local("2026-04-01 08:00")


# A factory whose only working time is the night from the last of March to the first of April and
# the one after it; one machine, which makes 10 pieces each quarter of an hour that it runs.


def _plan(starts: str, hours: float, holidays: tuple[int, ...] = ()) -> dict[str, Any]:
    plan = sample_plan()
    plan["assets"][1]["in_oee"] = False
    lasting = round(hours * 3600)
    plan["shifts"] = [
        {"weekday": weekday, "name": "夜班", "starts": starts, "duration_s": lasting}
        for weekday in (2, 3)
    ]
    days = [date(2026, 3, day) for day in (3, 4, 10, 11, 17, 18, 24, 25, *holidays)]
    days += [date(2026, 4, day) for day in (7, 8, 14, 15, 21, 22, 28, 29)]
    plan["holidays"] = [{"day": day.isoformat(), "name": "停工"} for day in days]
    return plan


def _nights(
    plant: Plant, idle_from: str = "2026-04-02 12:00", until: str = "2026-04-02 12:00"
) -> None:
    """Send states and registers of both nights; the machine stands still from some time on."""
    start, end = china("2026-03-31 12:00"), china(until)
    state = every(15, start, min(china(idle_from), end), RUN)
    state += every(15, china(idle_from), end, IDLE)
    made = [
        (at, min(n, len(every(15, start, china(idle_from)))) * 10.0)
        for n, (at, _) in enumerate(state)
    ]
    plant.send({"M01.state": state, "M01.total": made, "M01.reject": every(15, start, end, 0)})


def _newest(plant: Plant, kpi: str, start: date) -> Figure:
    return revisions(plant.conn, plant.factory_id, kpi, "month", start)[-1]


def _seconds(plant: Plant, start: date) -> Mapping[str, float]:
    inputs = _newest(plant, "oee", start).inputs
    return {name: inputs[f"{name}_s"] for name in ("planned", "run", "idle", "ideal_total")}


@pytest.fixture
def nights(db: store.Connection, database_url: str) -> Plant:
    """The factory with shifts from eight in the evening to eight in the morning."""
    return Plant.load(db, database_url, _plan("20:00", 12))


def test_a_night_shift_over_the_end_of_a_month_counts_whole_for_that_month(nights: Plant) -> None:
    _nights(nights, idle_from="2026-04-01 08:00")
    nights.refresh(china("2026-04-02 13:00"))
    # Pieces made before the shift, from noon on, count for the day as well.
    assert _seconds(nights, MARCH) == {
        "planned": 12 * 3600,
        "run": 12 * 3600,
        "idle": 0,
        "ideal_total": 20 * 4 * 10 * 60,
    }
    assert _seconds(nights, APRIL) == {
        "planned": 12 * 3600, "run": 0, "idle": 12 * 3600, "ideal_total": 0
    }  # fmt: skip


def test_shifts_that_change_at_half_hours_split_the_hour_between_the_months(
    db: store.Connection, database_url: str
) -> None:
    plant = Plant.load(db, database_url, _plan("19:30", 12))
    _nights(plant, idle_from="2026-04-01 07:30")
    plant.refresh(china("2026-04-02 13:00"))
    found = _seconds(plant, MARCH)
    assert (found["planned"], found["run"], found["idle"]) == (12 * 3600, 12 * 3600, 0)
    assert found["ideal_total"] == pytest.approx(19.5 * 4 * 10 * 60)
    assert _newest(plant, "availability", MARCH).point == 1
    found = _seconds(plant, APRIL)
    assert (found["planned"], found["run"], found["idle"]) == (12 * 3600, 0, 12 * 3600)
    assert found["ideal_total"] == pytest.approx(0, abs=1e-6)
    factory = registry.factory_by_code(db, "sample")
    assert audit.audit_factory(db, factory, china("2026-04-02 13:00")).holds


def test_a_holiday_takes_its_night_away_from_the_month(
    db: store.Connection, database_url: str
) -> None:
    plant = Plant.load(db, database_url, _plan("20:00", 12, holidays=(31,)))
    _nights(plant)
    plant.refresh(china("2026-04-02 13:00"))
    reason = _newest(plant, "oee", MARCH).reason
    assert reason is not None
    assert "planned" in reason
    assert _seconds(plant, APRIL)["planned"] == 12 * 3600


def test_the_month_is_open_until_its_last_shift_has_ended(nights: Plant) -> None:
    _nights(nights, until="2026-04-01 03:00")
    nights.refresh(china("2026-04-01 03:10"))
    assert _newest(nights, "oee", MARCH).revision == 0
    assert _seconds(nights, MARCH)["planned"] == 7 * 3600
    assert revisions(nights.conn, nights.factory_id, "oee", "month", APRIL) == []
    _nights(nights, until="2026-04-01 09:00")
    nights.refresh(china("2026-04-01 09:10"))
    assert _newest(nights, "oee", MARCH).revision == 1
    assert _seconds(nights, MARCH)["planned"] == 12 * 3600
    assert _newest(nights, "oee", APRIL).revision == 0


def test_a_late_row_of_the_first_night_of_a_month_revises_the_month_before(nights: Plant) -> None:
    _nights(nights)
    nights.refresh(china("2026-04-02 13:00"))
    assert _seconds(nights, MARCH)["idle"] == 0
    nights.send({"M01.state": [(china("2026-04-01 03:05"), IDLE)]})
    nights.refresh(china("2026-04-02 13:30"))
    assert _newest(nights, "oee", MARCH).revision == 2
    assert (_seconds(nights, MARCH)["idle"], _seconds(nights, APRIL)["idle"]) == (600, 0)


def test_what_explains_a_figure_goes_by_its_shifts_as_well(nights: Plant) -> None:
    _nights(nights, idle_from="2026-04-01 08:00")
    nights.refresh(china("2026-04-02 13:00"))
    found = explain(nights.conn, _newest(nights, "availability", MARCH).figure_id)
    (machine,) = found.facts
    assert (machine.sums["planned_s"], machine.sums["run_s"]) == (12 * 3600, 12 * 3600)
    now = china("2026-04-02 13:00")
    checked = audit.audit_figure(nights.conn, _newest(nights, "oee", MARCH).figure_id, now)
    assert checked.holds, checked.problems
    factory = registry.factory_by_code(nights.conn, "sample")
    evidence = jobs.evidence.gathered(nights.conn, factory, now)
    assert waterfall(evidence, MARCH, APRIL).hours("run") == pytest.approx(12)
    (machine_seen, _) = reliabilities(nights.conn, factory, MARCH, APRIL, now)
    assert machine_seen.found.run_s == 12 * 3600


def test_an_altered_fact_of_the_last_night_is_found_under_the_months_figure(nights: Plant) -> None:
    _nights(nights)
    nights.refresh(china("2026-04-02 13:00"))
    nights.conn.execute(
        "UPDATE kpi.fact_hour SET run_s = run_s - 60, idle_s = idle_s + 60 WHERE hour = %s",
        [china("2026-04-01 03:00")],
    )
    now = china("2026-04-02 13:00") + timedelta(minutes=1)
    checked = audit.audit_figure(nights.conn, _newest(nights, "oee", MARCH).figure_id, now)
    assert any("M01, hour 2026-04-01 03:00" in problem.said for problem in checked.problems)
