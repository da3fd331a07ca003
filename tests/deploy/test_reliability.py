"""`millpond kpi reliability`, as a person and a program read it."""

import csv
import io
import json

import pytest

import store
from tests.deploy.command import millpond
from tests.kpi.plant import RUN, Plant, china, every

STOP = 3
DAY = ("--from", "2026-03-02", "--to", "2026-03-03")


@pytest.fixture
def stopped(db: store.Connection, database_url: str) -> Plant:
    """A factory of which one machine stopped once for half an hour, and the other never."""
    plant = Plant.load(db, database_url)
    begin, end = china("2026-03-02 00:00"), china("2026-03-03 00:00")
    first, last = china("2026-03-02 10:00"), china("2026-03-02 10:30")
    plant.send(
        {
            "M01.state": [
                *every(15, begin, first),
                *every(15, first, last, STOP),
                *every(15, last, end),
            ],
            "M02.state": every(15, begin, end, RUN),
        }
    )
    return plant


def test_each_machine_and_all(stopped: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("kpi", "reliability", "--factory", "sample", *DAY, "--database", stopped.url)
    found = json.loads(millpond(capsys, *words, "--json").out)["machines"]
    assert [each["machine"] for each in found] == ["M01", "M02", None]
    one, other, both = (each["found"] for each in found)
    assert (one["mtbf_s"], one["mttr_s"]) == (7.5 * 3600, 1800)
    assert other["mtbf_reason"] == "no_failure"
    assert other["mtbf_reason_en"] == "no failure was seen in the period"
    assert (both["failures"], both["mtbf_s"]) == (1, 15.5 * 3600)
    table = millpond(capsys, *words).out
    assert "15.50" in table
    assert "no failure was seen" in table
    lines = list(csv.DictReader(io.StringIO(millpond(capsys, *words, "--csv").out)))
    assert [line["mttr_s"] for line in lines] == ["1800.0", "", "1800.0"]


def test_days_have_to_be_named(stopped: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, "kpi", "reliability", "--factory", "sample", "--database", stopped.url)
    assert said.code == 2
    assert "name the days" in said.err
