"""The container files: every command is one that Millpond takes, and nothing is open that need not.

No container engine is needed: neither is an image built here.
"""

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from deploy.commands.common import DATABASE_VARIABLE, PASSWORD_FILE_VARIABLE
from tests.deploy.command import verbs

ROOT = Path(__file__).parents[2]
_CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
_SETUP = (ROOT / "deploy" / "setup.sh").read_text(encoding="utf-8")


def _composed() -> dict[str, Any]:
    text = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = import_module("yaml").safe_load(text)
    return found


COMPOSED = _composed()
SERVICES: dict[str, dict[str, Any]] = COMPOSED["services"]
OURS = {name: each for name, each in SERVICES.items() if name != "db"}


def _commands() -> Iterator[list[str]]:
    for service in OURS.values():
        yield [re.sub(r"\$\{\w+:\?[^}]*\}", "pool.example", each) for each in service["command"]]
        test = service.get("healthcheck", {}).get("test")
        if test is not None:
            assert test[:2] == ["CMD", "millpond"]
            yield test[2:]


@pytest.mark.parametrize("words", list(_commands()), ids=" ".join)
def test_every_command_is_one_that_millpond_takes(words: list[str]) -> None:
    (verb,) = (each for each in verbs() if tuple(words[: len(each.path)]) == each.path)
    assert verb.command.make_context(str(verb), words[len(verb.path) :])


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root_or_writes_beside_its_volumes(name: str) -> None:
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert 0 not in (int(user), int(group))
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]["max-size"]


def test_only_the_pages_are_reached_from_outside() -> None:
    assert [name for name, each in SERVICES.items() if each.get("ports")] == ["city"]
    assert COMPOSED["networks"]["data"] == {"internal": True}
    assert SERVICES["db"]["networks"] == ["data"]


def test_every_secret_is_a_file_and_every_file_is_used() -> None:
    asked = {secret for service in SERVICES.values() for secret in service["secrets"]}
    assert asked == set(COMPOSED["secrets"])
    assert all(set(each) == {"file"} for each in COMPOSED["secrets"].values())
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            assert "PASSWORD" not in name or value == "/run/secrets/db_password"
            assert not re.search(r"://[^/@]+:[^/@]+@", value)
    for service in OURS.values():
        assert set(service["environment"]) == {DATABASE_VARIABLE, PASSWORD_FILE_VARIABLE}


def test_nothing_starts_before_the_database_has_its_schema() -> None:
    assert SERVICES["migrate"]["command"] == ["db", "migrate"]
    for name, service in OURS.items():
        waits = {on: each["condition"] for on, each in service["depends_on"].items()}
        assert waits["db"] == "service_healthy"
        if service["restart"] != "no":
            assert waits["migrate"] == "service_completed_successfully", name
    assert SERVICES["db"]["healthcheck"]
    assert SERVICES["city"]["healthcheck"]


def test_what_lasts_is_on_a_volume_and_images_are_pinned() -> None:
    mounted = {
        volume.partition(":")[0] for each in SERVICES.values() for volume in each.get("volumes", [])
    }
    assert mounted == set(COMPOSED["volumes"])
    for service in SERVICES.values():
        assert re.search(r":\d+\.\d+\.\d+", service["image"])
    assert re.findall(r"^FROM debian:(\w+)", _CONTAINERFILE, re.MULTILINE) == ["trixie", "trixie"]


def test_the_clients_of_the_image_fit_the_server() -> None:
    (server,) = re.findall(r"-pg(\d+)$", SERVICES["db"]["image"])
    assert f"postgresql-client-{server}" in _CONTAINERFILE


def test_the_image_has_the_account_that_the_services_ask_for() -> None:
    (account,) = {service["user"] for service in OURS.values()}
    assert re.search(rf"^USER {account}$", _CONTAINERFILE, re.MULTILINE)
    assert f"--uid {account.partition(':')[0]} " in _CONTAINERFILE


def test_the_image_has_what_documents_are_written_with() -> None:
    for package in re.findall(r"fonts-[\w-]+|lib\w+-[\d.]+-\d|libharfbuzz-subset0", _SETUP):
        assert package in _CONTAINERFILE


def test_the_builder_gets_every_package_and_nothing_private() -> None:
    ignored = (ROOT / "deploy" / "Containerfile.dockerignore").read_text(encoding="utf-8")
    lines = [line for line in ignored.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    sent = {line[1:] for line in lines if line.startswith("!")}
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")}
    assert sent == packages | {"requirements.lock", "pyproject.toml", "README.md"}
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", _CONTAINERFILE, re.MULTILINE)
    assert shlex.split(entry.strip("[]")) == ["millpond"]
