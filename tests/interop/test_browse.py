"""Browsing a server with policies and a login, with the options of the verb."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.config.file import check, load
from collectors.opcua.settings import POLICIES, OpcuaSource
from tests.deploy.command import millpond
from tests.interop.node import run_node


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_node("opcua_server.js", str(tmp_path_factory.mktemp("pki"))) as peer:
        yield f"opc.tcp://127.0.0.1:{peer.ready['port']}"


def test_the_offered_policies_are_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, "collector", "browse", url)
    assert said.code == 1
    assert all(policy in said.err for policy in POLICIES)


def test_a_login_over_a_policy_ends_in_a_file_that_probes_well(
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLANT_PASSWORD", "示例 1")
    path = tmp_path / "gateway.toml"
    words = (
        *("--security", "Aes256Sha256RsaPss", "--username", "reader"),
        *("--password-env", "PLANT_PASSWORD", "--match", "**/Double", "--write", path),
    )
    said = millpond(capsys, "collector", "browse", url, *words)
    assert said.code == 0, said.err
    assert check(path) == []
    (source,) = load(path).sources
    assert isinstance(source, OpcuaSource)
    assert (source.security, source.username) == ("Aes256Sha256RsaPss", "reader")
    assert source.password_env == "PLANT_PASSWORD"
    assert "示例 1" not in path.read_text(encoding="utf-8")
    # The certificate that the server met while browsing is the one that the gateway keeps.
    made = sorted(one.name for one in (tmp_path / "spool.db.state").rglob("*") if one.is_file())
    probed = millpond(capsys, "collector", "probe", path)
    assert probed.code == 0, probed.out
    again = sorted(one.name for one in (tmp_path / "spool.db.state").rglob("*") if one.is_file())
    assert made
    assert again == made


def test_looking_alone_leaves_nothing_behind(
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    said = millpond(capsys, "collector", "browse", url, "--security", "Basic256Sha256")
    assert said.code == 0, said.err
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_password_is_told(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANT_PASSWORD", "wrong")
    words = ("--security", "Basic256Sha256", "--username", "reader")
    said = millpond(capsys, "collector", "browse", url, *words, "--password-env", "PLANT_PASSWORD")
    assert said.code == 1
    assert "refused the login" in said.err


def test_a_password_is_not_sent_readable_unless_it_is_allowed(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--security", "none", "--username", "reader", "--password-env", "PLANT_PASSWORD")
    said = millpond(capsys, "collector", "browse", url, *words)
    assert said.code == 1
    assert "allow_plain_password" in said.err


def test_a_misspelt_policy_is_told_like_in_a_gateway_file(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = millpond(capsys, "collector", "browse", url, "--security", "Basic256Sha265")
    assert said.code == 1
    assert 'did you mean "Basic256Sha256"?' in said.err
