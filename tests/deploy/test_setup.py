"""The set-up script, the lock and the make targets, as a newcomer meets them."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
TARGETS = ["help", "setup", "demo", "demo-check", "test", "lint", "bench"]


@pytest.fixture
def checkout(folder: Path) -> Path:
    """What set-up reads of a fresh clone."""
    made = folder / "checkout"
    (made / "deploy").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "deploy/setup.sh"):
        shutil.copy(ROOT / name, made / name)
    return made


def _make_setup(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: text for key, text in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", "setup"],
        cwd=checkout,
        env=inherited | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _complaints(result: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in result.stderr.splitlines() if not line.startswith("make: ")]


def _locked() -> dict[str, list[str]]:
    """Return the hashes of every locked package."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if match := re.match(r"([\w.-]+)==", line):
            name = canonicalize_name(match.group(1))
            found.setdefault(name, [])
        elif match := re.match(r"    --hash=sha256:([0-9a-f]{64})", line):
            found[name].append(match.group(1))
        else:
            assert line.startswith("#"), f"the lock may hold packages and hashes only: {line}"
    return found


def test_help_is_the_default_and_lists_every_target() -> None:
    said = subprocess.run(
        ["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    listed = re.findall(r"^  make (\S+) +\S", said, re.MULTILINE)
    assert [target for target in TARGETS if target not in listed] == []


def test_ci_runs_what_developers_run() -> None:
    script = ROOT / ".ci" / "run"
    commands = [line for line in script.read_text().splitlines() if line.startswith("make")]
    assert commands == ["make lint", "make test"]
    assert os.access(script, os.X_OK)


def test_every_locked_package_has_hashes_and_no_address() -> None:
    locked = _locked()
    assert len(locked) > len(_declared())
    assert [name for name, hashes in locked.items() if not hashes] == []


def _declared() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [
        project["build-system"]["requires"],
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
    ]
    return [line for lines in lists for line in lines]


def test_the_lock_keeps_every_declared_limit() -> None:
    """A dependency added to the project without `make lock` is found here."""
    text = (ROOT / "requirements.lock").read_text()
    pins: dict[str, list[Requirement]] = {}
    for pin in re.findall(r"^([\w.-]+==.*?) *\\$", text, re.MULTILINE):
        requirement = Requirement(pin)
        pins.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    for line in _declared():
        wanted = Requirement(line)
        candidates = pins.get(canonicalize_name(wanted.name), [])
        assert candidates, f"{wanted.name} is not in requirements.lock: run `make lock`"
        for pin in candidates:
            (version,) = (part.version for part in pin.specifier)
            assert wanted.specifier.contains(version), f"{line} is locked as {version}"


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_python_gets_one_version_of_each_package(python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.1"}
    text = (ROOT / "requirements.lock").read_text()
    names = [
        canonicalize_name(requirement.name)
        for requirement in map(Requirement, re.findall(r"^(\w.*?) *\\$", text, re.MULTILINE))
        if requirement.marker is None or requirement.marker.evaluate(environment)
    ]
    assert "numpy" in names
    assert sorted(names) == sorted(set(names))


def test_a_failing_step_says_what_and_why_in_one_line(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text(f"numpy==0.0.0 --hash=sha256:{'0' * 64}\n")
    result = _make_setup(checkout, PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_EXTRA_INDEX_URL="")
    assert result.returncode != 0
    assert len(_complaints(result)) == 1
    (line,) = _complaints(result)
    assert line.startswith("set-up: python failed: ERROR: ")
    assert "numpy==0.0.0" in line
    log = re.search(r"\(all of it: (.*)\)$", line)
    assert log is not None
    assert "numpy==0.0.0" in Path(log.group(1)).read_text()


def test_a_registry_that_does_not_answer_is_told_as_that(checkout: Path) -> None:
    nobody = "http://127.0.0.1:9/simple"  # port 9 takes no connection
    result = _make_setup(
        checkout,
        PIP_INDEX_URL=nobody,
        PIP_RETRIES="1",
        PIP_FIND_LINKS="",
        PIP_EXTRA_INDEX_URL="",
        PIP_NO_CACHE_DIR="1",
    )
    assert result.returncode != 0
    (line,) = _complaints(result)
    told = "a package registry cannot be reached (Connection refused) (all of"
    assert line.startswith(f"set-up: python failed: {told}")


def test_without_root_and_sudo_it_says_so(checkout: Path) -> None:
    """A package is missing, we are not root, and there is no sudo."""
    programs = checkout / "programs"
    programs.mkdir()
    for name in ("bash", "dirname", "make", "python3", "sed", "basename"):
        (programs / name).symlink_to(str(shutil.which(name)))
    for name, text in (("dpkg-query", "exit 1"), ("id", "echo 1000")):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    result = _make_setup(checkout, PATH=str(programs))
    assert result.returncode != 0
    (line,) = _complaints(result)
    assert "mosquitto" in line
    assert "run 'make setup' as root, or install sudo" in line
    assert not (checkout / ".venv").exists()
