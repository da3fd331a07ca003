"""What every verb has in common: help, examples, and failures in one plain line."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.ports import LOOPBACK
from tests.collectors.plant import meter_source, write_file
from tests.deploy.command import Verb, millpond, verbs
from tests.store.samples import sample_plan
from tests.support.database import with_database
from tests.support.ports import free_port

MILLPOND = Path(sys.executable).with_name("millpond")
DEAD = "postgresql://127.0.0.1:1/none"
# A port that a test has taken.
BUSY, FREE = "BUSY", "FREE"  # ports; a demo of the same machine may have the default one


def _promising(expected: float) -> dict[str, Any]:
    plan = sample_plan()
    plan["promises"][0]["expected"] = expected
    return plan


def _in_region(region: str) -> dict[str, Any]:
    return {**sample_plan()["factory"], "region": region}


@pytest.fixture(autouse=True)
def no_database_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MILLPOND_DATABASE_URL", raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a file for every kind of mistake."""
    monkeypatch.chdir(tmp_path)
    write_file(tmp_path, meter_source(port=1, timeout_s=0.3))
    Path("broken.toml").write_text('[gateway]\nid = "one\n')
    Path("broken.json").write_text('{\n"factory": ,\n}')
    Path("list.json").write_text("[]")
    Path("latin.json").write_bytes(b'{"name": "\xfc"}')
    Path("plan.json").write_text("\ufeff" + json.dumps(sample_plan(), ensure_ascii=False))
    Path("percent.json").write_text(json.dumps(_promising(78)))
    Path("long.json").write_text('{"factory": ' + "9" * 5000 + "}")
    Path("deep.json").write_text("[" * 100_000)
    Path("twice.json").write_text('{"state_maps": {"cnc": {"1": "run", "1": "stop"}}}')
    Path("nowhere.json").write_text(json.dumps(sample_plan() | {"factory": _in_region("999999")}))
    Path("vectors").mkdir()
    Path("vectors/odd.json").write_text("[1, 2]")
    Path("empty").mkdir()
    return tmp_path


@pytest.mark.parametrize("verb", verbs(), ids=str)
def test_the_help_of_a_verb_shows_an_example(
    verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("--help", "-h"):
        said = millpond(capsys, *verb.path, option)
        assert (said.code, said.err) == (0, "")
        assert f"Example: millpond {verb}" in " ".join(said.out.split())


@pytest.mark.parametrize("verb", verbs(), ids=str)
def test_an_example_can_be_typed(verb: Verb) -> None:
    words = verb.example()
    assert words[: len(verb.path)] == list(verb.path)
    verb.command.make_context(str(verb), words[len(verb.path) :])


@pytest.mark.parametrize("group", ["", *sorted({v.path[0] for v in verbs() if len(v.path) > 1})])
def test_a_group_alone_shows_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, *group.split())
    assert said.code == 2
    for verb in verbs():
        if group and verb.path[0] == group:
            assert verb.path[1] in said.out


# What the line must name besides the help to look into.
WRONG_WORDS = {
    "nosuch": ("'nosuch'", "millpond"),
    "kpi nosuch": ("'nosuch'", "millpond kpi"),
    "kpi vectors": ("'directory'", "millpond kpi vectors"),
    "kpi vectors x --fast": ("--fast", "millpond kpi vectors"),
    "simulate serve fibre": ("'--mqtt-port'", "millpond simulate serve"),
    "simulate serve fibre --mqtt-port 70000": ("65535", "millpond simulate serve"),
    "simulate serve fibre --mqtt-port 1 --opcua-port -5": ("'--opcua-port'", "millpond simulate"),
    "api serve --port many": ("integer", "millpond api serve"),
    "demo --lang fr": ("'zh'", "millpond demo"),
}


@pytest.mark.parametrize("words", WRONG_WORDS)
def test_words_it_cannot_read(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, *words.split())
    named, verb = WRONG_WORDS[words]
    assert said.code == 2
    assert said.line.startswith("millpond: ")
    assert named in said.line
    assert f"; see `{verb}" in said.line


FAILURES = {
    "collector check absent.toml": "absent.toml: cannot be read: No such file or directory",
    "collector check empty": "empty: cannot be read: Is a directory",
    "collector check broken.toml": "broken.toml:2: is not TOML",
    "collector probe absent.toml": "absent.toml: cannot be read",
    "collector run broken.toml": "broken.toml:2: is not TOML",
    "collector status gateway.toml": "this gateway has not run yet",
    "collector enrol gateway.toml --factory F": "Connection refused",
    f"db load-plan absent.json --database {DEAD}": "absent.json: cannot be read: No such file",
    f"db load-plan empty --database {DEAD}": "empty: cannot be read: Is a directory",
    f"db load-plan broken.json --database {DEAD}": "broken.json:2: is not JSON",
    f"db load-plan latin.json --database {DEAD}": "latin.json: is not UTF-8",
    f"db load-plan list.json --database {DEAD}": "list.json: is no monitoring plan",
    f"db load-plan plan.json --database {DEAD}": "Connection refused",
    f"db load-plan percent.json --database {DEAD}": "expected is 78 but must be a number from 0 to",
    f"db load-plan long.json --database {DEAD}": "long.json: holds what no plan does: Exceeds",
    f"db load-plan deep.json --database {DEAD}": "deep.json: holds what no plan does: maximum",
    f"db load-plan twice.json --database {DEAD}": "the key '1' stands twice in one object",
    "db load-plan plan.json": "no database is named",
    "db migrate": "no database is named",
    "kpi refresh": "no database is named",
    "api serve": "no database is named",
    f"db migrate --database {DEAD}": "Connection refused",
    f"kpi refresh --database {DEAD}": "Connection refused",
    f"api serve --port {FREE} --database {DEAD}": "Connection refused",
    "db migrate --database nonsense": 'missing "="',
    f"api serve --port {BUSY} --database {DEAD}": "Address already in use",
    "kpi vectors empty": "empty holds no *.json vectors",
    "kpi vectors absent": "absent holds no *.json vectors",
    "kpi vectors vectors": "odd.json is not a vector file",
    "simulate plan nosuch": "no scenario 'nosuch'; there are: machining, fibre",
    "simulate truth nosuch": "no scenario 'nosuch'",
    "simulate serve nosuch --mqtt-port 1": "no scenario 'nosuch'",
    f"simulate serve fibre --mqtt-port 1 --opcua-port {BUSY}": "Address already in use",
    f"simulate serve fibre --mqtt-port 1 --modbus-port {BUSY}": "Address already in use",
}


@pytest.mark.parametrize("words", FAILURES)
@pytest.mark.usefixtures("folder")
def test_a_failure_is_one_plain_line(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = str(taken.getsockname()[1])
        said = millpond(capsys, *words.replace(BUSY, port).replace(FREE, str(free_port())).split())
    assert said.code == 1
    assert said.line.startswith("millpond: ")
    assert FAILURES[words] in said.line


def test_each_wrong_line_of_a_gateway_file_is_told_with_what_is_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "gateway.toml"
    text = file.read_text().replace("timeout_s", "timeout").replace('"uint16"', '"uint17"')
    file.write_text(text)
    places = [
        next(number for number, line in enumerate(text.splitlines(), 1) if key in line)
        for key in ("timeout =", "type =")
    ]
    for verb in ("check", "run", "probe"):
        said = millpond(capsys, "collector", verb, "gateway.toml")
        assert said.code == 1
        first, second = said.err.splitlines()
        assert first.startswith(f"millpond: gateway.toml:{places[0]}: ")
        assert "timeout_s" in first
        assert second.startswith(f"millpond: gateway.toml:{places[1]}: ")
        assert "uint16" in second


def test_a_problem_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(millpond(capsys, "collector", "check", "gateway.toml", "--json").out) == []
    said = millpond(capsys, "collector", "check", "broken.toml", "--json")
    assert said.code == 1
    (problem,) = json.loads(said.out)
    assert (problem["path"], problem["line"]) == ("broken.toml", 2)


@pytest.mark.usefixtures("folder")
def test_a_good_gateway_file(capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, "collector", "check", "gateway.toml")
    assert (said.code, said.out, said.err) == (0, "gateway.toml: no problem found\n", "")


@pytest.mark.usefixtures("folder")
def test_a_source_that_is_away_is_probed_as_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, "collector", "probe", "gateway.toml", "--json")
    assert said.code == 1
    (result,) = json.loads(said.out)
    assert (result["tag"], result["value"]) == ("EM01.energy", None)
    assert result["note"]


def test_an_open_host_is_refused(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(
        capsys, "api", "serve", "--host", "0.0.0.0", "--port", 0, "--database", database_url
    )
    assert said.code == 2
    words = ("--host", "0.0.0.0", "--port", free_port(), "--database", database_url)
    said = millpond(capsys, "api", "serve", *words)
    assert said.code == 1
    assert "use 127.0.0.1" in said.line


@pytest.mark.usefixtures("folder")
def test_what_the_database_refuses(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, "db", "load-plan", "nowhere.json", "--database", database_url)
    assert said.code == 1
    assert said.line == "millpond: factory: no region has the code 999999"
    nowhere = with_database(database_url, "millpond_nowhere")
    said = millpond(capsys, "kpi", "refresh", "--database", nowhere)
    assert said.code == 1
    assert "millpond_nowhere" in said.line


def test_a_gateway_for_a_factory_nobody_knows(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_file(tmp_path, meter_source(port=1, timeout_s=0.3), database_url)
    said = millpond(capsys, "collector", "enrol", file, "--factory", "NOSUCH")
    assert said.code == 1
    assert "NOSUCH" in said.line


def test_from_a_scenario_to_figures(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ("--database", database_url)
    said = millpond(capsys, "db", "migrate", *named)
    assert (said.code, said.out) == (0, "the schema is up to date\n")
    printed = millpond(capsys, "simulate", "plan", "fibre").out
    file = tmp_path / "plan.json"
    file.write_text(printed)
    code = json.loads(printed)["factory"]["code"]
    for _ in range(2):
        said = millpond(capsys, "db", "load-plan", file, *named)
        assert (said.code, said.out) == (0, f"stored the plan of {code}\n")
    gateway = write_file(tmp_path, meter_source(port=1, timeout_s=0.3), database_url)
    said = millpond(capsys, "collector", "enrol", gateway, "--factory", code)
    assert said.code == 0
    assert said.out.startswith("enrolled with the public key ")
    said = millpond(capsys, "kpi", "refresh", *named)
    assert said.code == 0
    assert said.out.endswith(" brought up to date\n")


def test_the_truth_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    names = millpond(capsys, "simulate", "names").out.split()
    assert len(names) >= 2
    truth = json.loads(millpond(capsys, "simulate", "truth", names[-1]).out)
    assert 0 < truth["after"]["oee"] < 1


def _case(expected: float) -> dict[str, object]:
    return {
        "id": f"expects-{expected}",
        "function": "oee_from_factors",
        "inputs": {"availability": 0.9, "performance": 0.95, "quality": 0.98},
        "expect": {"oee": expected},
        "tolerance": 1e-6,
    }


def test_worked_examples_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unbuilt = _case(0.8379) | {"function": "nothing_of_ours", "id": "unbuilt"}
    file = tmp_path / "oee.json"
    file.write_text(json.dumps({"family": "oee", "cases": [_case(0.8379)]}))
    said = millpond(capsys, "kpi", "vectors", tmp_path)
    assert (said.code, said.out) == (0, "1 passed, 0 failed\n")
    cases = [_case(0.8379), _case(0.5), unbuilt]
    file.write_text(json.dumps({"family": "oee", "cases": cases}))
    said = millpond(capsys, "kpi", "vectors", tmp_path)
    assert said.code == 1
    *failures, closing = said.out.splitlines()
    assert closing == "1 passed, 2 failed"
    assert [line.split()[0] for line in failures] == ["oee/expects-0.5", "oee/unbuilt"]


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command without a terminal and with a bare environment."""
    return subprocess.run(
        [MILLPOND, *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_installed_command_works_from_any_folder(folder: Path) -> None:
    done = _run(Path("/"), "collector", "check", str(folder / "gateway.toml"))
    assert (done.returncode, done.stderr) == (0, "")
    done = _run(folder, "collector", "check", "absent.toml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "millpond: absent.toml: cannot be read: No such file or directory\n"
    done = _run(folder, "kpi", "vectors")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_leaves_early_gets_no_traceback() -> None:
    with subprocess.Popen(
        [MILLPOND, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
        process.wait(60)


def test_the_command_starts_without_what_only_some_verbs_need() -> None:
    slow = {"pandas", "fastapi", "uvicorn", "asyncua", "kpi.jobs", "dask"}
    code = "import sys, deploy.cli; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert "deploy.commands.demo" in loaded
    assert loaded & slow == set()
