"""The difference of two revisions says what changed and why."""

from typing import Any

import pytest

from kpi.errors import NotComputable
from kpi.figures import basis
from kpi.provenance import Difference, differences
from store import figures
from tests.kpi.plant import Plant, lot, machine_day
from tests.kpi.provenance.conftest import IN_APRIL, MARCH, march


def between(plant: Plant, kpi: str) -> Difference:
    """The difference of the first and the newest revision in March."""
    found = figures.revisions(plant.conn, plant.factory_id, kpi, "month", MARCH)
    return differences(plant.conn, found[0].figure_id, found[-1].figure_id)


def changed(found: Difference) -> dict[str, tuple[Any, Any]]:
    """What changed, before and after."""
    return {change.what: (change.before, change.after) for change in found.changes}


def test_late_data_are_named_with_their_batch(formed: Plant) -> None:
    formed.send(machine_day("M01", "2026-03-10"))
    formed.refresh(IN_APRIL)
    found = between(formed, "oee")
    assert "revision 1" in found.before
    assert "revision 2" in found.after
    assert changed(found)["input run_s"] == (57_600, 86_400)
    assert [(each.seq, each.rows) for each in found.arrivals] == [(6, 288)]
    assert found.why == ["data arrived between: rows 288, batches 1"]


def test_a_corrected_record_is_named_with_its_versions(formed: Plant) -> None:
    formed.tell(lot("2026-03-02", 9), lot("2026-03-04", 0))
    formed.refresh(IN_APRIL)
    found = between(formed, "defect_rate")
    assert [(r.key, r.before, r.after, r.seq) for r in found.records] == [
        ("2026-03-02-L", 1, 2, 6),
        ("2026-03-04-L", None, 1, 6),
    ]
    assert found.why == [
        "records corrected: 1",
        "records that came in or moved into the period: 1",
    ]


def test_a_record_that_moved_to_another_month_is_told(formed: Plant) -> None:
    moved = lot("2026-02-02", 6)
    again = type(moved)(moved.kind, "2026-03-03-L", moved.at, {**moved.body, "note": "moved"})
    formed.tell(again)
    formed.refresh(IN_APRIL)
    assert between(formed, "defect_rate").why == ["records that moved out of the period: 1"]


def test_a_new_method_makes_a_revision_and_is_the_reason(
    formed: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basis, "METHOD_VERSION", "KPI-2099.1")
    formed.mark_everything()
    formed.refresh(IN_APRIL)
    found = between(formed, "oee")
    assert changed(found) == {"method_version": (march_before(formed), "KPI-2099.1")}
    assert found.why == [f"another method: {march_before(formed)}, then KPI-2099.1"]


def march_before(plant: Plant) -> str:
    """The method of the first revision."""
    found = figures.revisions(plant.conn, plant.factory_id, "oee", "month", MARCH)
    return found[0].method_version


def test_a_figure_does_not_differ_from_itself(formed: Plant) -> None:
    number = march(formed, "oee").figure_id
    found = differences(formed.conn, number, number)
    assert (found.changes, found.arrivals, found.why) == ([], [], ["nothing changed"])


def test_figures_of_different_kpis_are_not_compared(formed: Plant) -> None:
    numbers = (march(formed, kpi).figure_id for kpi in ("oee", "quality"))
    with pytest.raises(NotComputable, match="compare two of the same"):
        differences(formed.conn, *numbers)
