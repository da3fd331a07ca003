"""The audit compares figures and verdicts with what was published, and with each other."""

from dataclasses import asdict
from datetime import date
from typing import Any

import pytest

import store.figures
from kpi.figures.basis import digest
from kpi.policy import policies
from kpi.provenance import audit_factory
from kpi.verdicts.words import Verified, fulfilment
from store import registry
from store.figures import NewFigure, NewVerdict
from tests.kpi.plant import Plant, lot
from tests.kpi.provenance.conftest import IN_APRIL, march

YEAR = date(2025, 4, 1), date(2026, 4, 1)


def said(plant: Plant, kind: str) -> list[str]:
    """The sentences of one kind of problem in an audit of the whole factory."""
    factory = registry.factory_by_code(plant.conn, "sample")
    found = audit_factory(plant.conn, factory, IN_APRIL)
    return [problem.said for problem in found.problems if problem.kind == kind]


def change(plant: Plant, statement: str, *values: Any) -> None:
    """Change what is stored; it must hit one row."""
    assert plant.conn.execute(statement.encode(), values).rowcount == 1


@pytest.fixture
def judged(formed: Plant) -> Plant:
    """The factory with a rolling year that was judged twice, the second time better."""
    for point in (0.65, 0.76):
        figure = NewFigure(
            factory_id=formed.factory_id, kpi="oee", period_kind="rolling12",
            period_start=YEAR[0], period_end=YEAR[1], unit="1", point=point, low=point - 0.01,
            high=point + 0.01, coverage=0.99, grade="A", reason=None, method_version="M1",
            coefficient_version="C1", inputs={}, inputs_sha256=digest(point),
        )  # fmt: skip
        number = store.figures.publish(formed.conn, figure, is_open=False)
        verified = Verified(figure.point, figure.low, figure.high, figure.coverage)
        kept = fulfilment(0.6, 0.8, verified, policies()[-1])
        verdict = NewVerdict(
            factory_id=formed.factory_id, kpi="oee", period_start=YEAR[0], period_end=YEAR[1],
            figure_id=number, before_value=0.6, before_basis="declared", expected_value=0.8,
            reported_value=None, fulfilment=kept.share, fulfilment_low=kept.low,
            fulfilment_high=kept.high, fulfilment_verdict=kept.verdict, deviation=None,
            consistency_verdict="unknown", policy_version=policies()[-1].version, reasons=[],
        )  # fmt: skip
        store.figures.decide(formed.conn, verdict)
    return formed


def test_what_nobody_touched_is_as_it_was_published(judged: Plant) -> None:
    assert said(judged, "published") == []
    assert said(judged, "verdict") == []


def test_an_old_revision_changed_together_with_its_hash_is_found(formed: Plant) -> None:
    old = march(formed, "defect_rate")
    formed.tell(lot("2026-03-05", 9))
    formed.refresh(IN_APRIL)
    figure = asdict(old) | {"point": 0.0, "low": 0.0}
    names = ("inputs", "point", "low", "high", "coverage", "reason")
    change(
        formed,
        "UPDATE kpi.figure SET point = 0, low = 0, inputs_sha256 = %s WHERE figure_id = %s",
        *(digest([figure[name] for name in names]), old.figure_id),
    )
    assert said(formed, "figure") == []
    (told,) = said(formed, "published")
    assert told.startswith(f"figure {old.figure_id} (sample defect_rate 2026-03): point is 0")
    assert f"{old.point:.12g} was published" in told


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("method_version", "'KPI-0'"),
        ("coefficient_version", "'C-0'"),
        ("computed_at", "computed_at - interval '1 microsecond'"),
    ],
)
def test_how_and_when_a_figure_was_formed_is_as_it_was_published(
    judged: Plant, column: str, value: str
) -> None:
    change(
        judged,
        f"UPDATE kpi.figure SET {column} = {value}"
        " WHERE kpi = 'oee' AND period_kind = 'rolling12' AND revision = 1",
    )
    (found,) = said(judged, "published")
    name = "formed_at" if column == "computed_at" else column
    assert f": {name} is " in found


def test_a_figure_that_was_slipped_in_was_never_published(formed: Plant) -> None:
    newest = march(formed, "defect_rate")
    change(
        formed,
        """INSERT INTO kpi.figure (factory_id, kpi, period_kind, period_start, period_end, revision,
            unit, point, low, high, coverage, grade, reason, method_version, coefficient_version,
            inputs, inputs_sha256)
        SELECT factory_id, kpi, period_kind, period_start, period_end, 3, unit, point, low, high,
            coverage, grade, reason, method_version, coefficient_version, inputs, inputs_sha256
        FROM kpi.figure WHERE figure_id = %s""",
        newest.figure_id,
    )
    (told,) = said(formed, "published")
    assert told.endswith("is stored, but was never published")
    (gap,) = said(formed, "figure")
    assert gap == "sample defect_rate 2026-03: revision 2 is missing"


def test_a_figure_taken_out_of_the_feed_is_named(formed: Plant) -> None:
    newest = march(formed, "defect_rate")
    change(formed, "DELETE FROM pool.follow_up WHERE figure_id = %s", newest.figure_id)
    (told,) = said(formed, "published")
    assert told.startswith(f"figure {newest.figure_id} ")


@pytest.mark.parametrize(
    ("column", "value"),
    [("fulfilment", 1.0), ("fulfilment_low", 0.96), ("before_value", 0.2), ("reported_value", 0.9)],
)
def test_a_verdict_that_does_not_follow_from_its_figure_is_named(
    judged: Plant, column: str, value: float
) -> None:
    change(judged, f"UPDATE kpi.verdict SET {column} = %s", value)
    found = said(judged, "verdict")
    assert found
    assert all("verdict on sample oee from 2025-04-01" in each for each in found)


def test_a_word_that_was_never_given_is_named(judged: Plant) -> None:
    change(judged, "UPDATE kpi.verdict SET fulfilment_verdict = 'over'")
    assert said(judged, "published") == [
        "fulfilment of sample oee from 2025-04-01: missed, then over is stored, "
        "missed, then partly was published"
    ]


def test_a_replaced_verdict_that_was_changed_is_named(judged: Plant) -> None:
    change(judged, "UPDATE kpi.verdict_past SET fulfilment_verdict = 'met'")
    (told,) = said(judged, "published")
    assert "met, then partly is stored" in told


def test_a_verdict_that_is_gone_is_named(judged: Plant) -> None:
    judged.conn.execute("DELETE FROM kpi.verdict_past")
    change(judged, "DELETE FROM kpi.verdict")
    assert len(said(judged, "published")) == 2
