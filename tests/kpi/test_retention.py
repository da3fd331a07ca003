"""Raw rows may go when what was formed of them is final: nothing changes, and audits say so."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest

import store
import store.figures
import store.retention
from kpi import retention
from kpi.errors import NotFinal, NotFormable
from kpi.jobs.recompute import mark_range
from kpi.provenance import Audit, audit_factory, audit_figure, explain
from store import facts, provenance, registry
from store.acting import Actor
from store.errors import Refused
from tests.kpi.plant import Plant, china, heard, lot, machine_day
from tests.store.samples import count
from tests.support.database import cloned_database, filled_template

NOW = china("2026-09-02 09:20")
KEEP_DAYS = 60
ACTOR = Actor(None, "operator", "operator")
MARCH = date(2026, 3, 1)


def _fill(conn: store.Connection, url: str) -> Plant:
    plant = Plant.load(conn, url)
    plant.send(heard(MARCH, date(2026, 9, 1)))
    for number, day in enumerate(("2026-03-02", "2026-07-15", "2026-08-10")):
        for code in ("M01", "M02"):
            plant.send(machine_day(code, day, begin=number * 320.0))
    plant.send({"EM01.energy": [(china(f"2026-03-02 {h:02}:00"), 5.0 * h) for h in range(12)]})
    plant.tell(lot("2026-03-02", 4), lot("2026-08-10", 6))
    plant.refresh(NOW)
    return plant


@cache
def _filled_once(server_url: str) -> tuple[str, Plant]:
    return filled_template(server_url, _fill)


@pytest.fixture
def plant(database_server: str) -> Iterator[Plant]:
    """A factory with rows in March, July and August."""
    name, made = _filled_once(database_server)
    with cloned_database(database_server, name) as url, closing(store.connect(url)) as conn:
        yield replace(made, url=url, conn=conn, gateway=replace(made.gateway))


def _cut(plant: Plant) -> retention.Cut:
    found = retention.cut(plant.conn, KEEP_DAYS, NOW)
    assert found is not None
    return found


@pytest.fixture
def retired(plant: Plant) -> Plant:
    """The same factory without the rows of March."""
    retention.retire(plant.conn, _cut(plant), ACTOR, NOW)
    return plant


def _factory(plant: Plant) -> registry.Factory:
    return registry.factory_by_code(plant.conn, "sample")


def _audited(plant: Plant) -> Audit:
    return audit_factory(plant.conn, _factory(plant), NOW)


def _figures(plant: Plant) -> Sequence[object]:
    return provenance.figures(plant.conn, plant.factory_id)


def _facts(plant: Plant) -> Sequence[object]:
    return plant.conn.execute("SELECT f.* FROM kpi.fact_hour f ORDER BY asset_id, hour").fetchall()


def _rows_before(plant: Plant, what: retention.Cut) -> int:
    row = plant.conn.execute(
        "SELECT count(*) FROM telemetry.measurement WHERE ts < %s", (what.rows_from,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_rows_go_in_whole_chunks_and_all_that_was_formed_of_them_stays(plant: Plant) -> None:
    what = _cut(plant)
    assert date(2026, 6, 1) < what.rows_from.date() <= (NOW - timedelta(days=KEEP_DAYS)).date()
    assert what.final_until - what.rows_from.date() > timedelta(days=32)
    assert _audited(plant).problems == []
    batches, before = count(plant.conn, "telemetry.batch"), (_figures(plant), _facts(plant))
    assert _rows_before(plant, what) > 0
    retention.retire(plant.conn, what, ACTOR, NOW)
    assert _rows_before(plant, what) == 0
    assert count(plant.conn, "telemetry.batch") == batches
    assert (_figures(plant), _facts(plant)) == before
    noted = plant.conn.execute("SELECT actor, action FROM audit.entry").fetchall()
    assert noted == [("operator", "rows_dropped")]


def test_an_audit_holds_and_says_what_it_could_not_look_at(retired: Plant) -> None:
    found = _audited(retired)
    assert found.problems == []
    (seal, batches) = sorted(found.notes, key=lambda note: "batches" in note)
    assert "is final" in seal
    assert "content cannot be worked out again" in batches
    number = store.figures.revisions(retired.conn, retired.factory_id, "oee", "month", MARCH)[-1]
    one = audit_figure(retired.conn, number.figure_id, NOW)
    assert one.problems == []
    assert any("is final" in note for note in one.notes)
    assert explain(retired.conn, number.figure_id).rows_from is not None


def test_a_figure_of_later_says_nothing_of_it(retired: Plant) -> None:
    august = store.figures.revisions(
        retired.conn, retired.factory_id, "oee", "month", date(2026, 8, 1)
    )[-1]
    assert explain(retired.conn, august.figure_id).rows_from is None


def test_a_sealed_fact_that_is_altered_is_found(retired: Plant) -> None:
    retired.conn.execute(
        "UPDATE kpi.fact_hour SET run_s = run_s - 1, idle_s = idle_s + 1 "
        "WHERE hour = '2026-03-02 02:00+00' AND run_s > 1"
    )
    assert [each.kind for each in _audited(retired).problems] == ["seal"]


def test_a_seal_is_never_changed(retired: Plant) -> None:
    with pytest.raises(Refused, match="what is final stays so"), store.transaction(retired.conn):
        retired.conn.execute("DELETE FROM kpi.final_span")


def test_late_data_for_a_final_day_change_nothing(retired: Plant) -> None:
    before = _figures(retired), _facts(retired)
    retired.send({"M01.state": [(china("2026-03-02 10:07"), 0)]})
    retired.tell(lot("2026-03-02", 50))
    retired.refresh(NOW)
    assert (_figures(retired), _facts(retired)) == before
    assert facts.dirty_assets(retired.conn, NOW - timedelta(hours=1)) == []
    assert _audited(retired).problems == []


def test_what_is_not_final_is_formed_from_its_rows_as_before(retired: Plant) -> None:
    before = _figures(retired), _facts(retired)
    mark_range(retired.conn, [_factory(retired)], None, None, NOW)
    assert count(retired.conn, "kpi.dirty_hour") > 0
    retired.refresh(NOW)
    assert (_figures(retired), _facts(retired)) == before
    retired.send({"M01.state": [(china("2026-08-10 10:07"), 0)]})
    retired.refresh(NOW)
    assert _facts(retired) != before[1]
    assert _audited(retired).problems == []


def test_a_range_that_is_final_is_not_computed_again(retired: Plant) -> None:
    with pytest.raises(NotFormable, match="are final, their rows"):
        mark_range(retired.conn, [_factory(retired)], MARCH, None, NOW)


def test_the_next_cut_seals_what_is_between(retired: Plant) -> None:
    first = store.retention.horizon(retired.conn, retired.factory_id)
    assert first is not None
    later = NOW + timedelta(days=90)
    retired.send(heard(date(2026, 9, 2), date(2026, 11, 30)))
    retired.refresh(later)
    second = retention.cut(retired.conn, KEEP_DAYS, later)
    assert second is not None
    retention.retire(retired.conn, second, ACTOR, later)
    spans = retired.conn.execute(
        "SELECT final_from, final_until FROM kpi.final_span ORDER BY final_until"
    ).fetchall()
    assert spans == [(None, first.final_until), (first.final_until, second.final_until)]
    assert audit_factory(retired.conn, _factory(retired), later).problems == []


def _refused(plant: Plant, words: str) -> None:
    what = _cut(plant)
    rows = _rows_before(plant, what)
    with pytest.raises(NotFinal, match=words):
        retention.retire(plant.conn, what, ACTOR, NOW)
    assert _rows_before(plant, what) == rows
    assert count(plant.conn, "kpi.final_span") == 0


def test_nothing_goes_while_data_wait(plant: Plant) -> None:
    plant.send({"M01.state": [(china("2026-08-10 10:07"), 0)]})
    _refused(plant, "data wait for the jobs")


def test_nothing_goes_that_does_not_hold(plant: Plant) -> None:
    plant.conn.execute("UPDATE telemetry.batch SET signature = %s WHERE seq = 3", (bytes(64),))
    _refused(plant, "the signature does not belong")


def test_nothing_goes_that_later_hours_follow_from(plant: Plant) -> None:
    plant.send({"EM01.energy": [(china("2026-08-20 10:00"), 99.0)]})
    plant.refresh(NOW)
    _refused(plant, "EM01.energy said too little")


def test_nothing_is_older(plant: Plant) -> None:
    assert retention.cut(plant.conn, 800, NOW) is None
