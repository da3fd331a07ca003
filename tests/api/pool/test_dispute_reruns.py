"""Re-runs of disputed periods: made at once beside the old run, failing, asked for again."""

import sys
from contextlib import closing
from datetime import date

import pytest

import store
import store.figures
import store.records
from api.pool import disputes, reruns
from api.pool.errors import NotPossible
from api.worker import Limits, work_off
from store.errors import StoreUnavailable
from tests.api.pool.disputing import Disputing
from tests.api.pool.reporting import YEAR
from tests.api.samples import figure


def with_a_month(disputing: Disputing) -> None:
    """Publish a month of the disputed year, so that there is something to form again."""
    month = date(2026, 3, 1), date(2026, 4, 1)
    made = figure(disputing.pooled.factory_id, "oee", "month", month, (0.7, 0.7, 0.7))
    store.figures.publish(disputing.conn, made, is_open=False)


def test_a_rerun_is_asked_for_at_once_and_stands_beside_the_old_run(disputing: Disputing) -> None:
    factory_id, now = disputing.pooled.factory_id, disputing.pooled.now
    with_a_month(disputing)
    disputing.begin(rerun=False)
    assert disputes.rerun_state(disputing.found()) == "queued"
    with pytest.raises(NotPossible, match="re-run is not finished"):
        disputing.move("city_officer", "reject", "维持", document="示例函〔2026〕1号")
    assert reruns.make_all(disputing.conn, now=now) == {}
    assert store.reruns.to_make(disputing.conn) == []
    found = disputing.found()
    assert disputes.rerun_state(found) == "done"
    assert found.rerun is not None
    # No row of the sample factory was ever measured: the re-run finds no figure at all.
    assert (found.figure.revision, found.figure.point) == (1, 0.75)
    assert (found.rerun.revision, found.rerun.point) == (2, None)
    taken = store.disputes.steps(disputing.conn, disputing.number)[-1]
    assert (taken.step, taken.role) == ("rerun", "system")
    assert (taken.data["before"], taken.data["after"]) == (0.75, None)
    kept = store.figures.revisions(disputing.conn, factory_id, "oee", "rolling12", YEAR[0])
    assert [each.point for each in kept] == [0.75, None]


def test_a_process_makes_the_rerun_and_the_page_knows_at_once(
    disputing: Disputing, database_url: str
) -> None:
    disputing.begin(rerun=False)
    assert work_off(reruns.RERUNS, database_url) == 1
    assert disputes.rerun_state(disputing.found()) == "done"
    assert work_off(reruns.RERUNS, database_url) == 0


def test_a_rerun_that_fails_says_why_and_can_be_asked_for_again(
    disputing: Disputing, database_url: str
) -> None:
    disputing.begin(rerun=False)
    failing = (sys.executable, "-c", "import sys; print('no disk', file=sys.stderr); sys.exit(1)")
    at_once = Limits(seconds=60, waits_s=(0.0,))
    assert work_off(reruns.RERUNS, database_url, limits=at_once, command=failing) == 0
    found = disputing.found()
    assert (disputes.rerun_state(found), found.rerun_error) == ("failed", "broken: no disk")
    (told,) = disputing.reporting.rows(
        "SELECT payload FROM pool.event WHERE kind = 'dispute_rerun_failed'"
    )
    assert told[0]["dispute_id"] == disputing.number
    # What was given up waits for nobody, and holds no decision up.
    assert work_off(reruns.RERUNS, database_url) == 0
    disputing.pooled.later(minutes=1)
    disputing.move("county_officer", "ask_rerun", "再算一次")
    found = disputing.found()
    assert (disputes.rerun_state(found), found.rerun_error) == ("queued", None)
    assert work_off(reruns.RERUNS, database_url) == 1
    assert disputes.rerun_state(disputing.found()) == "done"


def test_a_rerun_waits_for_who_forms_the_figures_of_the_factory(
    disputing: Disputing, database_url: str
) -> None:
    with_a_month(disputing)
    disputing.begin(rerun=False)
    disputing.conn.execute("SET lock_timeout = '50ms'")
    with closing(store.connect(database_url)) as second, store.transaction(second):
        store.records.lock_factory(second, disputing.pooled.factory_id)
        with pytest.raises(StoreUnavailable, match="try again later"):
            disputing.rerun()
    assert disputes.rerun_state(disputing.found()) == "queued"
    disputing.rerun()
    assert disputes.rerun_state(disputing.found()) == "done"
