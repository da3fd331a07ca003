"""`millpond kpi evidence`, as a person reads it."""

import json

import pytest

import store
from store import evidence
from tests.deploy.command import millpond
from tests.kpi.plant import Plant

DAY = ("--day", "2026-03-31")


@pytest.fixture
def plant(db: store.Connection, database_url: str) -> Plant:
    """A factory that sent nothing yet."""
    return Plant.load(db, database_url)


def test_the_answers_are_shown_counted_and_stored(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("kpi", "evidence", "--factory", "sample", *DAY, "--database", plant.url)
    said = millpond(capsys, *words)
    assert said.code == 0
    stored = evidence.latest(plant.conn, plant.factory_id)
    refused = sum(each.verdict == "not_computable" for each in stored)
    assert said.out.rstrip().endswith(
        f"0 proven, {len(stored) - refused} not proven, {refused} not computable"
    )
    assert "EV-STATE 状态监测" in said.out


def test_all_of_it_as_json(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("kpi", "evidence", "--factory", "sample", *DAY, "--database", plant.url)
    found = json.loads(millpond(capsys, *words, "--json").out)
    state = next(one for one in found if one["method"] == "EV-STATE")
    assert state["window_end"] == "2026-03-31T16:00:00+00:00"
    assert (state["claim"], state["evidence_class"]) == ("D4.2c", "A")
