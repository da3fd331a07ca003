"""`millpond kpi gaps`, as a person reads it."""

import json

import pytest

import store
from tests.deploy.command import millpond
from tests.kpi.plant import Plant, china, every

WINDOW = ("--from", "2026-03-02 08:00:00", "--to", "2026-03-02 12:00:00")


@pytest.fixture
def told(db: store.Connection, database_url: str) -> Plant:
    """A factory of which one state was heard for two of four hours."""
    plant = Plant.load(db, database_url)
    plant.send({"M01.state": every(15, china("2026-03-02 08:00"), china("2026-03-02 10:00"))})
    return plant


def test_one_tag_is_told_with_each_of_its_gaps(
    told: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("kpi", "gaps", "--factory", "sample", *WINDOW, "--database", told.url)
    said = millpond(capsys, *words, "--tag", "M01.state")
    assert said.code == 0
    assert "62.5%" in said.out
    assert "M01.state  not collected  2026-03-02 10:30:00 .. 2026-03-02 12:00:00" in said.out


def test_all_tags_as_json(told: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("kpi", "gaps", "--factory", "sample", *WINDOW, "--database", told.url)
    found = json.loads(millpond(capsys, *words, "--json").out)
    assert {one["tag"]: one["gap_count"] for one in found} == dict.fromkeys(told.gateway.tags, 1)


def test_a_tag_that_is_not_in_the_plan_is_named(
    told: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("kpi", "gaps", "--factory", "sample", *WINDOW, "--database", told.url)
    said = millpond(capsys, *words, "--tag", "M99.state")
    assert said.code == 1
    assert "M99.state" in said.line
