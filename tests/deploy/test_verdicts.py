"""`millpond kpi verdicts`, `policies` and `rebase`, as a person reads them."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

import store
from store import figures, verdict_bases
from store.figures import NewFigure, NewVerdict
from tests.deploy.command import millpond
from tests.kpi.plant import Plant

YEAR = date(2026, 1, 1), date(2027, 1, 1)
CYCLES = {"about": "fulfilment", "code": "ideal_cycles", "text": "M01 1: 60 s → 30 s"}


@pytest.fixture
def plant(db: store.Connection, database_url: str) -> Plant:
    """A factory that was judged twice on its OEE."""
    plant = Plant.load(db, database_url)
    bounds: dict[str, Any] = {"point": 0.7, "low": 0.69, "high": 0.71, "coverage": 0.97}
    figure = NewFigure(
        factory_id=plant.factory_id, kpi="oee", period_kind="rolling12", period_start=YEAR[0],
        period_end=YEAR[1], unit="1", **bounds, grade="A", reason=None, method_version="M1",
        coefficient_version="C1", inputs={}, inputs_sha256=b"1",
    )  # fmt: skip
    first = NewVerdict(
        factory_id=plant.factory_id, kpi="oee", period_start=YEAR[0], period_end=YEAR[1],
        figure_id=figures.publish(db, figure, is_open=False), before_value=0.5,
        before_basis="measured", expected_value=0.7, reported_value=0.7, fulfilment=1.0,
        fulfilment_low=0.95, fulfilment_high=1.05, fulfilment_verdict="met", deviation=0.0,
        consistency_verdict="same", policy_version="P1", reasons=[],
    )  # fmt: skip
    figures.decide(db, first)
    figures.decide(
        db,
        replace(
            first, fulfilment_verdict="not_comparable", policy_version="P2", reasons=[dict(CYCLES)]
        ),
    )
    return plant


def test_a_verdict_says_its_policy_and_why_there_is_no_word(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("kpi", "verdicts", "--factory", "sample", "--database", plant.url)
    said = millpond(capsys, *words)
    assert said.code == 0
    assert "fulfilment: other ideal cycles (M01 1: 60 s → 30 s)" in said.out
    assert "P2" in said.out
    assert "P1" not in said.out
    assert "P1" in millpond(capsys, *words, "--past").out
    found = json.loads(millpond(capsys, *words, "--past", "--json").out)
    assert [each["policy_version"] for each in found["verdicts"]] == ["P2"]
    assert [each["fulfilment_verdict"] for each in found["past"]] == ["met"]
    (reason,) = found["verdicts"][0]["reasons"]
    assert reason["code"] == "ideal_cycles"
    assert (reason["zh"], reason["en"]) == (
        "理想节拍不同 (M01 1: 60 s → 30 s)",
        "other ideal cycles (M01 1: 60 s → 30 s)",
    )


def test_the_policies_are_listed_with_tolerances_and_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = millpond(capsys, "kpi", "policies")
    assert said.code == 0
    assert "2026.1  valid from 2026-01-01" in said.out
    assert "± 0.001 or ± 10% of it" in said.out
    assert "exact" in said.out
    (policy,) = json.loads(millpond(capsys, "kpi", "policies", "--json").out)
    assert policy["by_kpi"]["oee"] == {"absolute": 0.02, "relative": 0.0}


def test_years_rest_on_another_plan_only_for_a_reason_that_is_kept(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict_bases.keep(plant.conn, plant.factory_id, {YEAR[0]: {"devices": ["M01"]}})
    words = ("kpi", "rebase", "--factory", "sample", "--database", plant.url, "--reason")
    assert millpond(capsys, *words, " ").code == 2
    assert verdict_bases.kept(plant.conn, plant.factory_id, [YEAR[0]]) != {}
    said = millpond(capsys, *words, "a typing error", "--actor", "示例")
    assert said.code == 0
    assert said.out.startswith("1 of the years of sample are to rest on the plan as it is now")
    assert verdict_bases.kept(plant.conn, plant.factory_id, [YEAR[0]]) == {}
    rows = plant.conn.execute(
        "SELECT period_start, basis, actor, reason FROM kpi.verdict_basis_past"
    ).fetchall()
    assert rows == [(YEAR[0], {"devices": ["M01"]}, "示例", "a typing error")]
