"""Settled figures stay; what later data would make of them stands beside them."""

import pytest

from kpi.provenance import audit_factory
from store import figures, locks, registry
from store.errors import Refused
from store.locks import Settled
from tests.kpi.plant import Plant, lot
from tests.kpi.provenance.conftest import IN_APRIL, MARCH, march


@pytest.fixture
def settled(formed: Plant) -> Settled:
    """March, settled."""
    period = Settled(formed.factory_id, "month", MARCH, MARCH.replace(month=4))
    locks.lock(formed.conn, period, "officer")
    return period


def points(plant: Plant) -> list[float | None]:
    """The point of each revision of the defect rate of March."""
    found = figures.revisions(plant.conn, plant.factory_id, "defect_rate", "month", MARCH)
    return [figure.point for figure in found]


def test_late_records_leave_a_settled_figure_and_stand_beside_it(
    formed: Plant, settled: Settled
) -> None:
    formed.tell(lot("2026-03-04", 50))
    formed.refresh(IN_APRIL)
    assert points(formed) == [0.05]
    (pending,) = locks.pending(formed.conn, formed.factory_id)
    assert (pending.kpi, pending.point) == ("defect_rate", 0.2)
    audit = audit_factory(formed.conn, registry.factory_by_code(formed.conn, "sample"), IN_APRIL)
    assert audit.problems == []
    assert any("is locked, and a new value stands beside it" in note for note in audit.notes)


def test_what_stands_beside_goes_when_the_figure_is_right_again(
    formed: Plant, settled: Settled
) -> None:
    for defective in (9, 4):
        formed.tell(lot("2026-03-02", defective))
        formed.refresh(IN_APRIL)
        assert len(locks.pending(formed.conn, formed.factory_id)) == (defective == 9)
    assert points(formed) == [0.05]


def test_opened_for_a_reason_the_period_gets_its_revision(formed: Plant, settled: Settled) -> None:
    formed.tell(lot("2026-03-04", 50))
    formed.refresh(IN_APRIL)
    locks.unlock(formed.conn, settled, "officer", "a lot was filed late")
    assert locks.pending(formed.conn, formed.factory_id) == []
    formed.refresh(IN_APRIL)
    assert points(formed) == [0.05, 0.2]
    (ended,) = locks.locks(formed.conn, formed.factory_id, ended_too=True)
    assert (ended.locked_by, ended.unlocked_by) == ("officer", "officer")
    assert ended.reason == "a lot was filed late"
    assert locks.locks(formed.conn, formed.factory_id) == []


def test_other_periods_go_on(formed: Plant, settled: Settled) -> None:
    formed.tell(lot("2026-02-10", 50))
    formed.refresh(IN_APRIL)
    february = MARCH.replace(month=2)
    assert figures.revisions(formed.conn, formed.factory_id, "defect_rate", "month", february)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kpi.figure SET low = 0 WHERE figure_id = %s",
        "DELETE FROM kpi.figure WHERE figure_id = %s",
    ],
)
def test_the_database_itself_keeps_a_settled_figure(
    formed: Plant, settled: Settled, statement: str
) -> None:
    with pytest.raises(Exception, match="is locked; unlock its period"):
        formed.conn.execute(statement.encode(), (march(formed, "oee").figure_id,))


def test_no_opening_without_a_reason(formed: Plant, settled: Settled) -> None:
    with pytest.raises(Refused, match="say why"):
        locks.unlock(formed.conn, settled, "officer", "  ")
    assert len(locks.locks(formed.conn, formed.factory_id)) == 1


def test_locking_twice_and_opening_what_is_open_are_refused(
    formed: Plant, settled: Settled
) -> None:
    with pytest.raises(Refused, match="is locked already"):
        locks.lock(formed.conn, settled, "officer")
    locks.unlock(formed.conn, settled, "officer", "to see")
    with pytest.raises(Refused, match="is not locked"):
        locks.unlock(formed.conn, settled, "officer", "to see")


def test_a_running_month_cannot_be_settled(formed: Plant) -> None:
    april = Settled(formed.factory_id, "month", MARCH.replace(month=4), MARCH.replace(month=5))
    with pytest.raises(Refused, match="has no closed figure yet"):
        locks.lock(formed.conn, april, "officer")
