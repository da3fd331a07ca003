"""`millpond kpi check`, as a person and a program read it."""

import csv
import io
import json

import pytest

import store
from tests.deploy.command import millpond
from tests.kpi.plant import Plant, china, machine_day


@pytest.fixture
def known(db: store.Connection, database_url: str) -> Plant:
    """A factory with two machines of which one was heard for a day."""
    plant = Plant.load(db, database_url)
    plant.send(machine_day("M01", "2026-03-02"))
    plant.facts(china("2026-04-01 00:30"))
    return plant


def _words(plant: Plant, *more: str) -> tuple[str, ...]:
    return ("kpi", "check", "--factory", "sample", "--database", plant.url, *more)


def test_findings_are_told_with_what_shows_them(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    said = millpond(capsys, *_words(known, "--rule", "Q01"))
    assert said.code == 0, said.err
    assert "M02.state：最差一天的数据完整率为0%" in said.out
    assert "2026-03-01 00:00 .. 2026-03-02 00:00" in " ".join(said.out.split())
    assert "1 months: 7 fail" in said.out


def test_findings_as_json_say_what_does_not_apply(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    words = _words(known, "--month", "2026-03", "--all", "--json")
    found = json.loads(millpond(capsys, *words).out)
    assert len({one["rule"] for one in found}) == 38
    (material,) = [one for one in found if one["rule"] == "P13"]
    assert material["severity"] == "not_applicable"
    assert material["en"] == "Not applicable: the plan has no bill of material"


def test_findings_as_csv(known: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, *_words(known, "--csv", "--rule", "Q01"))
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert {row["severity"] for row in rows} == {"fail"}
    assert {row["subject"] for row in rows} >= {"M02.state", "EM01.energy"}


def test_a_factory_that_is_not_in_the_pool_is_named(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    said = millpond(capsys, "kpi", "check", "--factory", "NOBODY", "--database", known.url)
    assert said.code == 1
    assert "no factory has the code NOBODY" in said.err
