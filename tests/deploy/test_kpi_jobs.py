"""`millpond kpi jobs` and `millpond kpi recompute`, as a person calls them."""

import json

import pytest

import store
from tests.deploy.command import millpond
from tests.kpi.plant import Plant, china, machine_day

DAY = "2026-03-02"


@pytest.fixture
def busy(db: store.Connection, database_url: str) -> Plant:
    """A factory of which one day is computed."""
    plant = Plant.load(db, database_url)
    plant.send({**machine_day("M01", DAY), **machine_day("M02", DAY)})
    plant.refresh(china("2026-03-03 03:30"))
    return plant


def test_the_runs_are_listed(busy: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, "kpi", "jobs", "--database", busy.url)
    assert said.code == 0
    assert "figures" in said.out
    assert "done 2" in said.out
    assert "To try again" not in said.out


def test_a_failure_is_listed_with_its_error(
    busy: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    busy.conn.execute("UPDATE registry.tag SET state_map = 'gone' WHERE name = 'M01.state'")
    busy.mark_everything()
    said = millpond(capsys, "kpi", "refresh", "--database", busy.url)
    assert said.code == 1
    assert "1 of 2 failed" in said.line
    said = millpond(capsys, "kpi", "jobs", "--database", busy.url)
    assert "To try again" in said.out
    assert "KeyError: 'gone'" in said.out
    found = json.loads(millpond(capsys, "kpi", "jobs", "--json", "--database", busy.url).out)
    assert [each["failures"] for each in found["retries"]] == [1]
    assert found["runs"][0]["outcome"] == "failed"


def test_a_range_is_computed_again(busy: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    rows = busy.fact_rows()
    busy.conn.execute("UPDATE kpi.fact_hour SET row_count = row_count + 1")
    words = ("kpi", "recompute", "--factory", "sample", "--workers", "1", "--database", busy.url)
    said = millpond(capsys, *words)
    assert said.code == 0
    assert "2 assets" in said.out
    assert busy.fact_rows() == rows
    said = millpond(capsys, *words, "--resume")
    assert "0 assets" in said.out, "nothing was left undone"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "give either --factory, which may be repeated, or --all"),
        (("--all", "--factory", "sample"), "give either --factory"),
        (("--all", "--from", "2026-02-01", "--to", "2026-02-01"), "--from is not before --to"),
        (("--all", "--workers", "2", "--dask", "tcp://127.0.0.1:1"), "--dask has workers"),
    ],
)
def test_words_that_contradict_each_other_are_refused(
    words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = millpond(capsys, "kpi", "recompute", *words, "--database", "postgresql://nobody")
    assert said.code == 2
    assert complaint in said.line


def test_a_factory_that_does_not_exist_is_named(
    busy: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    said = millpond(capsys, "kpi", "recompute", "--factory", "nobody", "--database", busy.url)
    assert said.code == 1
    assert "no factory has the code nobody" in said.line


def test_a_cluster_that_is_not_there_is_told_in_one_line(
    busy: Plant, free_port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpi.jobs.crew._CONNECT_S", 0.5)
    address = f"tcp://127.0.0.1:{free_port}"
    words = ("kpi", "recompute", "--factory", "sample", "--dask", address, "--resume")
    said = millpond(capsys, *words, "--database", busy.url)
    assert said.code == 1
    assert f"no Dask scheduler answers at {address}" in said.line
