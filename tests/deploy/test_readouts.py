"""`millpond kpi figures`, `compare` and `waterfall`, as a person and a program read them."""

import csv
import io
import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

import store
from deploy.commands.common import console
from tests.deploy.command import Said, millpond
from tests.kpi.plant import Plant, china, heard, lot, machine_day, sample_plan

MARCH = ("--from", "2026-03-01", "--to", "2026-04-01")


@pytest.fixture
def known(db: store.Connection, database_url: str) -> Plant:
    """A factory with two machines of which one day is known, and its figures of March."""
    plant = Plant.load(db, database_url)
    plant.send({**machine_day("M01", "2026-03-02"), **machine_day("M02", "2026-03-02")})
    plant.send(heard(date(2026, 3, 1), date(2026, 4, 1)))
    plant.tell(lot("2026-03-02", 5))
    plant.refresh(china("2026-04-01 00:30"))
    return plant


@pytest.fixture
def empty(db: store.Connection, database_url: str) -> Plant:
    """A factory of which nothing was heard."""
    return Plant.load(db, database_url)


def _say(capsys: pytest.CaptureFixture[str], plant: Plant, *words: object) -> Said:
    group = ("kpi", words[0], "--factory", "sample", *words[1:])
    return millpond(capsys, *group, "--database", plant.url)


def test_figures_of_a_month_as_a_table(known: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    said = _say(capsys, known, "figures", "--period", "2026-03", "--kpi", "defect_rate")
    assert said.code == 0, said.err
    assert "产品不良品率" in said.out
    assert "5.00" in said.out


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize(
    "words",
    [
        ("figures", "--period", "2026-Q1"),
        ("compare", "--from", "2025-04-01"),
        ("waterfall", "--from", "2026-03-02", "--to", "2026-03-03"),
    ],
    ids=lambda words: words[0],
)
def test_no_table_cuts_a_word_off(
    words: tuple[str, ...],
    width: int,
    known: Plant,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(console, "width", width)
    said = _say(capsys, known, *words)
    assert said.code == 0, said.err
    assert "…" not in said.out
    assert max(map(cell_len, said.out.splitlines())) <= width


def test_a_missing_figure_says_why_below_the_table(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    out = _say(capsys, known, "figures", "--period", "2026-03", "--kpi", "oee").out
    assert "oee: data cover" in out


@pytest.mark.parametrize("verb", [("figures", "--period", "2026-03"), ("compare",)])
def test_every_oee_says_for_how_much_key_equipment_it_speaks(
    verb: tuple[str, ...], known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "oee: covers 100.0 % of key equipment" in _say(capsys, known, *verb).out


def test_no_unit_is_broken_in_two(
    known: Plant, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "width", 80)
    out = _say(capsys, known, "figures", "--period", "2026-03", "--kind", "month").out
    words = {word for line in out.splitlines() for word in line.split()}
    assert {"units", "lines", "people"} <= words


def test_figures_as_json_keep_their_inputs(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _say(
        capsys, known, "figures", "--period", "2026-Q1", "--kpi", "oee", "--json", "--kind", "month"
    )
    (found,) = json.loads(said.out)
    assert found["period_start"] == "2026-03-01"
    assert found["reason"], "one day of a month is too little"
    assert found["inputs"]["key_equipment"]["share"] == 1


def test_figures_as_csv(known: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("figures", "--period", "2026-03", "--kind", "month")
    found = list(csv.DictReader(io.StringIO(_say(capsys, known, *words, "--csv").out)))
    rate = next(row for row in found if row["kpi"] == "defect_rate")
    assert float(rate["point"]) == pytest.approx(0.05)
    assert rate["period_end"] == "2026-04-01"
    oee = next(row for row in found if row["kpi"] == "oee")
    assert (oee["key_equipment_share"], rate["key_equipment_share"]) == ("1.0", "")
    same = _say(capsys, known, *words, "--format", "csv").out
    assert list(csv.DictReader(io.StringIO(same))) == found


def test_some_months_are_formed_as_one_period_and_stored_nowhere(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    count = "SELECT count(*) FROM kpi.figure"
    before = known.conn.execute(count).fetchone()
    known.tell(lot("2026-02-02", 15, key="L9"))
    words = ("figures", "--period", "2026-Q1", "--whole", "--kpi", "defect_rate", "--json")
    (quarter,) = json.loads(_say(capsys, known, *words).out)
    assert (quarter["period_kind"], quarter["period_end"]) == ("whole", "2026-04-01")
    assert quarter["inputs"]["total"] == 2 * 100
    assert quarter["inputs"]["scrap"] + quarter["inputs"]["rework"] == 5 + 15
    assert known.conn.execute(count).fetchone() == before
    refused = _say(
        capsys, known, "figures", "--from", "2026-01-02", "--to", "2026-03-01", "--whole"
    )
    assert "--whole takes whole months" in refused.line


def test_a_period_without_figures_says_from_when_to_when_there_are(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    line = _say(capsys, known, "figures", "--period", "2024").line
    assert "2025-04-01 to 2026-05-01" in line
    assert (
        "there is no figure of happiness"
        in _say(capsys, known, "figures", "--kpi", "happiness").line
    )


def test_what_was_promised_stands_beside_what_was_verified(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("compare", "--from", "2025-04-01")
    found = json.loads(_say(capsys, known, *words, "--json").out)
    assert (found["period_start"], found["period_end"]) == ("2025-04-01", "2026-04-01")
    rate = next(row for row in found["rows"] if row["kpi"] == "defect_rate")
    assert (rate["before_value"], rate["expected_value"], rate["point"]) == (0.1, 0.04, None)
    assert rate["reason"] == "coverage"
    assert "less than 75 %" in rate["reason_en"]
    assert "不足 75%" in rate["reason_zh"]
    lines = list(csv.DictReader(io.StringIO(_say(capsys, known, *words, "--csv").out)))
    assert len(lines) == len(found["rows"])
    oee = next(row for row in lines if row["kpi"] == "oee")
    assert (oee["factory"], oee["period_end"]) == (found["factory"], "2026-04-01")
    assert json.loads(oee["key_equipment"])["share"] == 1
    table = _say(capsys, known, *words)
    assert "产品不良品率" in table.out
    assert "10.00" in table.out


def test_a_rolling_year_that_was_not_formed_is_refused(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    line = _say(capsys, known, "compare", "--from", "2019-01-01").line
    assert "no rolling year that starts on 2019-01-01" in line


@pytest.mark.parametrize("verb", ["figures", "compare", "waterfall"])
def test_a_factory_without_figures_is_told_what_makes_them(
    verb: str, empty: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _say(capsys, empty, verb)
    assert said.code == 1
    assert "yet" in said.line
    assert "millpond kpi refresh" in said.line


def test_the_waterfall_adds_up(known: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    day = ("--from", "2026-03-02", "--to", "2026-03-03")
    found = json.loads(_say(capsys, known, "waterfall", *day, "--json").out)
    hours = {step["name"]: step["hours"] for step in found["steps"]}
    assert hours["calendar"] == 48
    assert hours["planned"] == pytest.approx(16)
    # Each machine makes 320 pieces of 60 s in its shift and one in ten is rejected.
    assert hours["ideal"] == pytest.approx(2 * 320 / 60)
    assert hours["good"] == pytest.approx(2 * 288 / 60)
    losses = sum(step["microseconds"] for step in found["steps"] if step["kind"] == "loss")
    assert found["steps"][0]["microseconds"] - losses == found["steps"][-1]["microseconds"]
    oee = next(each for each in found["oee"] if each["kpi"] == "oee")
    assert oee["point"] == pytest.approx(hours["good"] / hours["planned"])
    assert oee["inputs"]["teep"]["point"] == pytest.approx(hours["good"] / 48)


def test_the_waterfall_of_good_units_alone_says_what_is_not_known(
    db: store.Connection,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    plan = sample_plan()
    for machine in plan["assets"][:2]:
        state, total, _ = machine["tags"]
        machine["tags"] = [state, total | {"role": "good_count"}]
    plant = Plant.load(db, database_url, plan)
    day = {
        name: rows
        for name, rows in machine_day("M01", "2026-03-02").items()
        if not name.endswith("reject")
    }
    plant.send(day)
    plant.refresh(china("2026-03-03 00:30"))
    words = ("waterfall", "--from", "2026-03-02", "--to", "2026-03-03")
    picture = tmp_path / "losses.svg"
    out = _say(capsys, plant, *words, "--svg", picture).out
    assert "quality: 未知 not known" in picture.read_text(encoding="utf-8")
    assert "only good units are counted" in " ".join(out.split())
    assert [line for line in out.splitlines() if "not known" in line]
    found = json.loads(_say(capsys, plant, *words, "--json").out)
    assert found["good_only"] == ["M01", "M02"]
    assert {step["name"]: step["hours"] for step in found["steps"]}["quality"] is None


def test_the_waterfall_as_table_csv_and_picture(
    known: Plant, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    day = ("--from", "2026-03-02", "--to", "2026-03-03")
    table = _say(capsys, known, "waterfall", *day)
    beside = {cells[0]: cells[1] for line in table.out.splitlines() if (cells := _cells(line))}
    assert beside["teep"] == "20.0 %"
    assert beside["key equipment covered"] == "100.0 %"
    file = tmp_path / "losses.svg"
    said = _say(capsys, known, "waterfall", *day, "--csv", "--svg", file)
    steps = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["name"] for row in steps][:2] == ["calendar", "off"]
    drawn = ElementTree.parse(file).getroot()
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "合格产出时间 ideal time of good units" in texts


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("│")[1:-1]]


def test_days_without_data_have_no_waterfall(
    known: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    line = _say(capsys, known, "waterfall", "--period", "2025-06").line
    assert "nothing was heard of the machines in the period" in line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--period", "2026-13"), "is no period"),
        (("--period", "2026-03", *MARCH), "either --period or --from and --to"),
        (("--from", "2026-03-01"), "--from and --to go together"),
        (("--from", "2026-03-01", "--to", "2026-03-01"), "--to must lie after --from"),
    ],
)
def test_a_period_that_cannot_be_read(
    words: tuple[str, ...], said: str, empty: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _say(capsys, empty, "figures", *words)
    assert found.code == 2
    assert said in found.err
