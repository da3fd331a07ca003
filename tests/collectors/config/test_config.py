"""A gateway file: every problem with its line, and what a sound file means."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import collectors
from collectors.config.fields import UNITS, SourceTable
from collectors.config.file import check, load
from collectors.config.lines import key_lines
from collectors.config.schema import SOURCES
from collectors.errors import ConfigRefused, NotSet
from collectors.modbus.settings import ModbusSource
from tests.collectors.plant import meter_source, write_file

CASES = sorted(Path(__file__).parent.joinpath("testcases").iterdir())
SAMPLES = sorted(Path(collectors.__file__).parent.rglob("sample.toml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_problem_is_told_once_with_its_line(case: Path) -> None:
    found = [f"{problem.line}: {problem.message}" for problem in check(case / "gateway.toml")]
    assert found == (case / "expected.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_file_is_refused_with_the_same_problems(case: Path) -> None:
    path = case / "gateway.toml"
    with pytest.raises(ConfigRefused) as refused:
        load(path)
    assert list(refused.value.problems) == check(path)
    assert str(refused.value).splitlines() == [str(problem) for problem in check(path)]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_sound(path: Path) -> None:
    assert check(path) == []
    assert load(path).sources


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "marked"])
def test_a_file_as_any_editor_saves_it_is_read_with_its_lines(
    tmp_path: Path, mark: str, ending: str
) -> None:
    sound = next(path for path in SAMPLES if path.parent.name == "files").read_text("utf-8")
    path = tmp_path / "网关 一号.toml"
    # A comment may hold what some programs, but neither TOML nor editors, take for a line's end.
    text = "# one\u2028line\x85only\n" + sound

    def saved(text: str) -> list[str]:
        path.write_bytes((mark + text.replace("\n", ending)).encode())
        return [f"{problem.line}: {problem.message}" for problem in check(path)]

    assert saved(text) == []
    wrong = text.replace('unit = "kWh"', 'unit = "kwh"', 1)
    line = text[: text.index('unit = "kWh"')].count("\n") + 1
    assert [told.partition(" is not")[0] for told in saved(wrong)] == [f'{line}: unit = "kwh"']


def test_there_is_a_sample_for_every_protocol() -> None:
    kinds = {source.kind for path in SAMPLES for source in load(path).sources}
    assert kinds == {"opcua", "modbus", "mqtt", "sparkplug", "http", "files"}


@pytest.mark.parametrize("cls", list(SOURCES.values()))
def test_samples_show_every_key(cls: type[SourceTable]) -> None:
    kind = cls.__name__.removesuffix("Source").lower()
    path = next(path for path in SAMPLES if path.parent.name == kind)
    text = path.read_text(encoding="utf-8")
    names = {spec.name for spec in fields(cls) if "table" not in spec.metadata}
    assert {name for name in names if f"{name} = " not in text} == set()


def test_a_missing_file_is_told() -> None:
    assert [str(problem) for problem in check(Path("no/such.toml"))] == [
        "no/such.toml: cannot be read: No such file or directory"
    ]


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_bytes("[gateway]\nid = '工厂'\n".encode("gb18030"))
    assert [problem.line for problem in check(path)] == [2]


def test_defaults_and_places(tmp_path: Path) -> None:
    config = load(write_file(tmp_path, meter_source()))
    assert config.key_path == tmp_path / "gateway.key"
    assert config.spool_path == tmp_path / "spool.db"
    assert config.gateway.timezone == "Asia/Shanghai"
    (source,) = config.sources
    assert isinstance(source, ModbusSource)
    assert (source.port, source.poll_s, source.heartbeat_s) == (502, 5.0, 60.0)
    assert source.tags[0].scale == 1.0


def test_the_version_names_the_content(tmp_path: Path) -> None:
    first = load(write_file(tmp_path, meter_source())).version
    assert load(write_file(tmp_path, meter_source())).version == first
    assert load(write_file(tmp_path, meter_source().replace("100", "102"))).version != first


def test_the_address_of_the_sink_may_stand_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_file(tmp_path, meter_source())
    text = path.read_text().replace('url = "postgresql://127.0.0.1:1/none"', 'url_env = "SINK_URL"')
    path.write_text(text)
    config = load(path)
    monkeypatch.delenv("SINK_URL", raising=False)
    with pytest.raises(NotSet, match="SINK_URL"):
        config.database_url()
    monkeypatch.setenv("SINK_URL", "postgresql://there/db")
    assert config.database_url() == "postgresql://there/db"


@given(st.text(alphabet="[]{}\"'#=.\\\n ab", max_size=60))
def test_any_text_has_its_lines_scanned_without_failing(text: str) -> None:
    lines = key_lines(text)
    assert all(1 <= line <= len(text.splitlines()) for line in lines.values())


def test_units_are_listed_once() -> None:
    assert len(UNITS) == len(set(UNITS))
