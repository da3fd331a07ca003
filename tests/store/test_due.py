"""When a job is to look at a factory though nothing new came."""

from datetime import UTC, datetime, timedelta

import pytest

import store
from store import due, plans
from store.due import Job
from tests.store.samples import sample_plan

NOW = datetime(2026, 4, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

_FIGURE = """
INSERT INTO kpi.figure (factory_id, kpi, period_kind, period_start, period_end, revision, unit,
    point, low, high, coverage, grade, method_version, coefficient_version, inputs, inputs_sha256)
VALUES (%s, 'oee', 'month', DATE '2026-03-01' - make_interval(months => %s),
    DATE '2026-04-01' - make_interval(months => %s), 1, '1', 0.7, 0.7, 0.7, 1, 'A', 'v', 'v', '{}',
    '')
"""


@pytest.fixture
def factory(db: store.Connection) -> int:
    return plans.load_plan(db, sample_plan())


def test_a_new_factory_is_due_for_evidence_and_has_no_figures_to_close(
    db: store.Connection, factory: int
) -> None:
    assert due.factories(db, "evidence", NOW) == [factory]
    assert due.factories(db, "figures", NOW) == []


def test_from_its_first_figure_on_a_factory_is_due(db: store.Connection, factory: int) -> None:
    due.put_off(db, "figures", factory, NOW + HOUR)
    for months in range(3):
        db.execute(_FIGURE, (factory, months, months))
    assert due.factories(db, "figures", NOW) == [factory]


@pytest.mark.parametrize("job", ["figures", "evidence"])
def test_what_was_put_off_comes_due_at_its_time_and_a_later_figure_does_not_hasten_it(
    db: store.Connection, factory: int, job: Job
) -> None:
    db.execute(_FIGURE, (factory, 0, 0))
    due.put_off(db, job, factory, NOW + HOUR)
    db.execute(_FIGURE, (factory, 1, 1))
    assert due.factories(db, job, NOW + HOUR - timedelta(microseconds=1)) == []
    assert due.factories(db, job, NOW + HOUR) == [factory]


def test_one_factory_put_off_leaves_the_others_and_the_other_job(
    db: store.Connection, factory: int
) -> None:
    other = plans.load_plan(db, sample_plan("other"))
    for each in (factory, other):
        db.execute(_FIGURE, (each, 0, 0))
    due.put_off(db, "figures", factory, NOW + HOUR)
    assert due.factories(db, "figures", NOW) == [other]
    assert due.factories(db, "evidence", NOW) == sorted([factory, other])
