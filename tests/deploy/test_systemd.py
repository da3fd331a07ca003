"""The service units name verbs that are there, and systemd takes them and finds them closed."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.command import verbs
from tests.deploy.demo_run import MILLPOND

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = sorted(each.name for each in FOLDER.iterdir() if each.suffix in (".service", ".timer"))
SERVICES = [name for name in UNITS if name.endswith(".service")]

_INSTALLED = "/opt/millpond/.venv/bin/millpond"
_ANALYZE = shutil.which("systemd-analyze")
# From 0 (closed) to 10; systemd itself calls up to 2 "OK".
_MOST_EXPOSED = 20


def _lines(name: str, key: str) -> list[str]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def _sample(name: str) -> dict[str, list[str]]:
    """Return what an environment file would set: also what stands there as an alternative."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if assigned := re.fullmatch(r"#?([A-Z_]+)=(.*)", line):
            found.setdefault(assigned[1], []).append(assigned[2])
    return found


def _commands() -> list[list[str]]:
    """Return the words of each line that starts Millpond, for each option that a sample shows."""
    found = []
    for name in SERVICES:
        for line in _lines(name, "ExecStartPre") + _lines(name, "ExecStart"):
            options = _sample("city.env.sample")["MILLPOND_SERVE"] if "$" in line else [""]
            words = (
                line.replace("$MILLPOND_SERVE", each).replace("%i", "line1") for each in options
            )
            found += [shlex.split(each) for each in words]
    return found


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_every_line_starts_a_verb_with_words_that_it_takes(words: list[str]) -> None:
    assert words[0] == _INSTALLED
    (verb,) = (each for each in verbs() if tuple(words[1 : 1 + len(each.path)]) == each.path)
    assert verb.command.make_context(str(verb), words[1 + len(verb.path) :])


def test_each_service_runs_as_its_own_account_and_none_as_root() -> None:
    (account,) = (
        line.split()[1]
        for line in (FOLDER / "millpond.sysusers").read_text(encoding="utf-8").splitlines()
        if line.startswith("u ")
    )
    assert {name: _lines(name, "User") for name in SERVICES} == {
        name: [account] for name in SERVICES
    }


def test_what_runs_for_ever_is_started_again_and_watched() -> None:
    for name in SERVICES:
        if _lines(name, "Type") != ["oneshot"]:
            assert _lines(name, "Restart") == ["always"], name
            assert _lines(name, "Type") == ["notify"], name
            assert _lines(name, "WatchdogSec"), name
            assert _lines(name, "StartLimitIntervalSec") == ["0"], name


def test_no_sample_holds_a_secret() -> None:
    for file in FOLDER.glob("*.sample"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"://[^/\s@]+:[^/\s@]+@", text), file.name
        for name, values in _sample(file.name).items():
            if name.endswith("PASSWORD"):
                assert values == [""], f"{name} of {file.name}"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they would be where Millpond is installed: systemd looks for each program."""
    for name in UNITS:
        text = (FOLDER / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(_INSTALLED, str(MILLPOND)), encoding="utf-8")
    return tmp_path


def _analyze(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [str(_ANALYZE), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


if _ANALYZE:

    @pytest.mark.parametrize("name", UNITS)
    def test_systemd_knows_every_word_of_it(installed: Path, name: str) -> None:
        said = _analyze("verify", "--man=no", installed / name)
        ours = [line for line in said.stderr.splitlines() if "millpond" in line]
        assert (ours, said.returncode) == ([], 0), said.stderr

    @pytest.mark.parametrize("name", SERVICES)
    def test_systemd_finds_it_closed(installed: Path, name: str) -> None:
        most = f"--threshold={_MOST_EXPOSED}"
        said = _analyze("security", "--offline=yes", "--no-pager", most, installed / name)
        assert said.returncode == 0, said.stdout
