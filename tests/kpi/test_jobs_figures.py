"""The figure job on a real database: revisions, and the months that a change touches."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from kpi import jobs
from kpi.errors import JobFailed
from kpi.reasons import said
from store import figures
from store.canonical import Record
from tests.kpi.formed import (
    APRIL,
    IN_APRIL,
    MARCH,
    feed,
    months_between,
    numbers,
    periods,
    revisions,
    stored,
)
from tests.kpi.plant import (
    Plant,
    balance,
    china,
    every,
    heard,
    lot,
    machine_day,
    sample_plan,
)


def test_an_open_month_is_overwritten_at_revision_zero_and_closed_as_revision_one(
    plant: Plant,
) -> None:
    plant.send({**machine_day("M01", "2026-03-01"), **machine_day("M02", "2026-03-01")})
    plant.refresh(china("2026-03-02 02:20"))
    first = revisions(plant, "oee")[0]
    # Nine good pieces of 60 s each quarter of an hour, then half as many.
    assert first.revision == 0
    assert first.point == pytest.approx(0.6)
    assert first.inputs["until"] == "2026-03-01T18:00:00+00:00"
    plant.send(
        {**machine_day("M01", "2026-03-02", 5, 320), **machine_day("M02", "2026-03-02", 5, 320)}
    )
    plant.refresh(china("2026-03-03 02:20"))
    second = revisions(plant, "oee")
    assert [each.revision for each in second] == [0]
    assert second[0].point == pytest.approx(0.45)
    assert feed(plant) == [], "what is provisional is no news"
    plant.refresh(IN_APRIL)
    assert numbers(plant, "oee") == [0, 1]
    assert [each.what for each in changes(plant, "oee", MARCH)] == ["figure"]


def changes(plant: Plant, kpi: str, start: date) -> list[Any]:
    """The entries of the feed about one month's figure."""
    rows = plant.conn.execute(
        "SELECT what, before, after FROM pool.follow_up WHERE kpi = %s AND period_start = %s"
        " AND period_kind = 'month' ORDER BY cursor",
        (kpi, start),
    )
    return [_Change(*row) for row in rows]


class _Change:
    def __init__(self, what: str, before: Any, after: Any) -> None:
        self.what, self.before, self.after = what, before, after


def test_late_data_in_a_closed_month_make_a_revision_beside_the_old_one(plant: Plant) -> None:
    for code in ("M01", "M02"):
        plant.send(machine_day(code, "2026-03-02"))
    plant.refresh(IN_APRIL)
    old = revisions(plant, "oee")
    assert [each.revision for each in old] == [1]
    plant.send(machine_day("M01", "2026-03-10"))
    plant.refresh(IN_APRIL)
    new = revisions(plant, "oee")
    assert [each.revision for each in new] == [1, 2]
    assert new[0] == old[0], "the old revision stays as it was"
    assert new[1].coverage > old[0].coverage
    assert numbers(plant, "oee", date(2025, 4, 1), "rolling12") == [1, 2]
    entries = changes(plant, "oee", MARCH)
    assert entries[0].before is None
    assert entries[1].before == entries[0].after
    assert entries[1].after["coverage"] == pytest.approx(new[1].coverage)


def test_the_closed_years_that_hold_a_month_are_formed_with_it(plant: Plant) -> None:
    plant.send(machine_day("M01", "2026-01-10"))
    plant.refresh(IN_APRIL)
    years = {start for kind, start in periods(plant) if kind == "rolling12"}
    assert years == {date(2025, 2, 1), date(2025, 3, 1), date(2025, 4, 1)}


def test_no_year_reaches_before_the_baseline_or_beyond_the_last_closed_month(plant: Plant) -> None:
    plant.send(machine_day("M01", "2025-03-10"))
    plant.figures(china("2026-02-03 09:20"))
    plant.refresh(china("2026-02-03 09:20"))
    years = {start for kind, start in periods(plant) if kind == "rolling12"}
    assert years == {date(2025, 1, 1), date(2025, 2, 1)}


def test_without_anything_new_nothing_is_formed(plant: Plant) -> None:
    plant.send(machine_day("M01", "2026-03-02"))
    plant.tell(lot("2026-03-02", 5))
    plant.refresh(IN_APRIL)
    before, entries = stored(plant), feed(plant)
    assert plant.figures(IN_APRIL) == 0
    plant.facts(IN_APRIL)
    plant.figures(IN_APRIL)
    assert (stored(plant), feed(plant)) == (before, entries)


def test_facts_that_come_out_the_same_make_no_revision(plant: Plant) -> None:
    plant.send({**machine_day("M01", "2026-03-02"), **machine_day("M02", "2026-03-02", 7)})
    plant.refresh(IN_APRIL)
    before = stored(plant)
    plant.mark_everything()
    plant.refresh(IN_APRIL)
    assert stored(plant) == before


def test_a_month_is_closed_when_it_ends_even_if_nothing_comes_any_more(plant: Plant) -> None:
    for code in ("M01", "M02"):
        plant.send(machine_day(code, "2026-03-30"))
    plant.refresh(china("2026-03-31 02:20"))
    assert numbers(plant, "oee") == [0]
    shining = revisions(plant, "oee")[0].coverage
    plant.figures(IN_APRIL)
    closed = revisions(plant, "oee")[-1]
    assert closed.revision == 1
    assert closed.coverage < shining, "the day without data counts"
    assert ("rolling12", date(2025, 4, 1)) in periods(plant)
    assert ("month", APRIL) in periods(plant)


def test_a_factory_that_stays_silent_gets_its_months_all_the_same(plant: Plant) -> None:
    plant.send(machine_day("M01", "2026-03-02"))
    plant.refresh(china("2026-03-03 02:20"))
    plant.figures(china("2026-06-02 09:20"))
    assert {start for kind, start in periods(plant) if kind == "month"} == {
        *months_between(MARCH, date(2026, 7, 1))
    }
    may = revisions(plant, "oee", date(2026, 5, 1))[-1]
    assert (may.revision, may.point, may.grade) == (1, None, "D")
    assert said(may.reason, "en") == "no data in the period"


def test_the_running_month_goes_up_to_the_last_full_hour_even_if_nothing_comes(
    plant: Plant,
) -> None:
    for code in ("M01", "M02"):
        plant.send(machine_day(code, "2026-03-01"))
    plant.refresh(china("2026-03-02 02:20"))
    assert revisions(plant, "oee")[0].coverage > 0.9
    assert plant.figures(china("2026-03-02 02:50")) == 0, "the hour has not ended"
    assert plant.figures(china("2026-03-02 12:10")) == 1
    later = revisions(plant, "oee")
    assert [each.revision for each in later] == [0]
    # Two machines, 8 h planned on each of two days, but only 4 h of the second have passed.
    assert later[0].inputs["planned_s"] == 2 * 12 * 3600
    assert later[0].coverage == pytest.approx(8 / 12)


def test_a_gap_of_the_meter_over_the_end_of_a_month_opens_both_months(plant: Plant) -> None:
    readings = every(15, china("2026-03-01 00:00"), china("2026-03-31 22:00"), 0, 1)
    last = readings[-1][1]
    # From 21:45 to 01:45 sixteen units were used, nine of them, by time, before midnight.
    readings += every(15, china("2026-04-01 01:45"), china("2026-04-02 09:15"), last + 16, 1)
    plant.send({"EM01.energy": readings})
    plant.refresh(IN_APRIL)
    march, april = (revisions(plant, "standard_coal", start)[-1] for start in (MARCH, APRIL))
    assert _kwh(march.point) == pytest.approx(31 * 96)
    # The hours that the gap touches hold four units each: three before midnight, two after it.
    assert (_kwh(march.low), _kwh(march.high)) == pytest.approx((31 * 96 - 12, 31 * 96 + 8))
    assert _kwh(april.point) == pytest.approx(33 * 4)
    assert (_kwh(april.low), _kwh(april.high)) == pytest.approx((33 * 4 - 8, 33 * 4 + 12))


def test_readings_that_are_always_rarer_than_promised_open_a_month_by_one_interval(
    plant: Plant,
) -> None:
    # Promised every 15 minutes, sent every hour: every hour of the year counts as bridged.
    start = china("2026-03-01 00:30")
    plant.send({"EM01.energy": every(60, start, china("2026-04-02 09:00"), 0, 4)})
    plant.refresh(IN_APRIL)
    march = revisions(plant, "standard_coal")[-1]
    assert march.low is not None
    # The hour that nobody metered, and four units on either side of the end of the month.
    assert _kwh(march.low) == pytest.approx(743 * 4 - 4)


def _kwh(tce: float | None) -> float:
    assert tce is not None
    return tce * 1000 / 0.1229


def test_a_factory_without_data_gets_no_figures(plant: Plant) -> None:
    assert plant.figures(IN_APRIL) == 0
    assert stored(plant) == []


def test_records_alone_are_enough_for_figures(plant: Plant) -> None:
    plant.tell(lot("2026-03-02", 5))
    assert plant.figures(IN_APRIL) == 1
    assert revisions(plant, "defect_rate")[-1].inputs["total"] == 100


def test_a_record_of_an_old_month_forms_that_month_and_the_years_that_hold_it(
    plant: Plant,
) -> None:
    plant.send(heard(date(2026, 1, 1), date(2026, 4, 2)))
    plant.refresh(IN_APRIL)
    before = {key: numbers(plant, "defect_rate", *key) for key in _closed()}
    plant.tell(lot("2026-02-10", 5))
    plant.figures(IN_APRIL)
    after = {key: numbers(plant, "defect_rate", *key) for key in _closed()}
    assert {key for key in after if after[key] != before[key]} == {
        (date(2026, 2, 1), "month"),
        (date(2025, 3, 1), "rolling12"),
        (date(2025, 4, 1), "rolling12"),
    }
    assert revisions(plant, "defect_rate", date(2026, 2, 1))[-1].point == pytest.approx(0.05)


def _closed() -> list[tuple[date, figures.PeriodKind]]:
    found: list[tuple[date, figures.PeriodKind]] = [
        (start, "month") for start in months_between(date(2026, 1, 1), APRIL)
    ]
    return found + [
        (start, "rolling12") for start in months_between(date(2025, 1, 1), date(2025, 5, 1))
    ]


def test_a_balance_closes_one_month_and_opens_the_next(plant: Plant) -> None:
    plant.tell(balance("2026-02-28", "raw", 5))
    plant.figures(IN_APRIL)
    assert {start for kind, start in periods(plant) if kind == "month"} >= {
        date(2026, 2, 1),
        MARCH,
    }
    reason = revisions(plant, "inventory_turnover")[-1].reason
    assert reason is not None
    assert "2026-02-28" in said(reason, "en")
    assert "wip" in reason


def test_a_new_version_of_a_line_counts_and_moves_it_to_its_new_month(plant: Plant) -> None:
    plant.send(heard(date(2026, 2, 1), date(2026, 4, 2)))

    def line(due: str, shipped: int) -> Record:
        body = {"line": "SO-1", "quantity": 10, "due": due, "shipments": [[due, shipped]]}
        return Record("order_line", "SO-1", china(f"{due} 00:00"), body)

    plant.tell(line("2026-02-10", 4))
    plant.refresh(IN_APRIL)
    assert revisions(plant, "on_time_delivery", date(2026, 2, 1))[-1].point == 0
    plant.tell(line("2026-02-10", 10))
    plant.figures(IN_APRIL)
    assert revisions(plant, "on_time_delivery", date(2026, 2, 1))[-1].point == 1
    plant.tell(line("2026-03-10", 10))
    plant.figures(IN_APRIL)
    february, march = (
        revisions(plant, "on_time_delivery", start)[-1] for start in (date(2026, 2, 1), MARCH)
    )
    assert (february.point, march.point) == (None, 1)


@pytest.mark.parametrize(
    "broken",
    [
        Record("order_line", "X", china("2026-03-10 00:00"), {"confirmed": ["soon"]}),
        Record("order_line", "X", china("2026-03-10 00:00"), {}),
        Record("inspection", "X", china("2026-03-10 00:00"), {"operation": "final", "total": "?"}),
        Record("stock_balance", "X", china("2026-03-10 00:00"), {"value_yuan": None}),
        Record("cogs", "X", china("2026-03-10 00:00"), {"month": "March"}),
        Record("weather", "X", china("2026-03-10 00:00"), {}),
    ],
    ids=["dates", "empty", "quantity", "stock", "month", "kind that nobody asked for"],
)
def test_a_record_that_cannot_be_read_stops_no_figure(plant: Plant, broken: Record) -> None:
    plant.send(heard(date(2026, 3, 1), date(2026, 4, 2)))
    plant.tell(lot("2026-03-02", 5), lot("2026-03-03", 15), broken)
    plant.refresh(IN_APRIL)
    assert revisions(plant, "defect_rate")[-1].inputs["total"] == 200
    assert plant.figures(IN_APRIL) == 0, "it is not tried again for ever"


def test_a_factory_that_fails_stops_no_other_and_is_tried_again(plant: Plant) -> None:
    other = Plant.load(plant.conn, plant.url, sample_plan("other"))
    for each in (plant, other):
        each.tell(lot("2026-03-02", 5))
    plant.conn.execute(
        "UPDATE registry.factory SET baseline_from = '0001-01-01' WHERE code = 'other'"
    )
    with pytest.raises(JobFailed, match="other"):
        plant.figures(IN_APRIL)
    assert numbers(plant, "defect_rate") == [1]
    assert numbers(other, "defect_rate") == []
    plant.conn.execute("UPDATE registry.factory SET baseline_from = '2025-01-01'")
    plant.figures(IN_APRIL)
    assert numbers(other, "defect_rate") == [1]


def test_two_workers_at_once_form_each_figure_once(plant: Plant) -> None:
    plant.send(machine_day("M01", "2026-03-02"))
    plant.tell(*(lot(f"2026-02-{day:02}", day) for day in range(1, 20)))
    plant.facts(IN_APRIL)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(jobs.run_figures, plant.url, IN_APRIL) for _ in range(2)]
        assert all(future.result(timeout=60) <= 1 for future in running)
    together = stored(plant)
    assert {row[3] for row in together} == {0, 1}
    plant.conn.execute("TRUNCATE kpi.figure, kpi.verdict, pool.follow_up CASCADE")
    plant.conn.execute(
        "INSERT INTO kpi.dirty_month (factory_id, month)"
        " SELECT factory_id, m FROM registry.factory,"
        " unnest(ARRAY['2026-02-01', '2026-03-01', '2026-04-01']::date[]) AS m"
    )
    plant.figures(IN_APRIL)
    assert stored(plant) == together
