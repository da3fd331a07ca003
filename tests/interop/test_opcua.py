"""OPC UA against a server that nobody here wrote: node-opcua, with every policy and login."""

import asyncio
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua.crypto.cert_gen import (
    dump_private_key_as_pem,
    generate_private_key,
    generate_self_signed_app_certificate,
)
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from collectors.errors import SourceError
from collectors.opcua.adapter import OpcuaAdapter
from collectors.opcua.certificates import fingerprint, own_identity
from collectors.opcua.settings import POLICIES, OpcuaSource, OpcuaTag
from collectors.opcua.trust import SourceUntrusted, memory_of
from collectors.sample import Sample
from collectors.status import BAD_TYPE_MISMATCH, CODES, GOOD
from tests.collectors.receiving import first_of_each, opened, receive_until, samples_of
from tests.collectors.surroundings import context
from tests.interop.node import Peer, run_node

NAMESPACE = "urn:example:interop:plant"
PASSWORD = "示例 1"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the server keeps whom it trusts."""
    return tmp_path_factory.mktemp("pki")


@pytest.fixture(scope="module")
def server(pki: Path) -> Iterator[Peer]:
    with run_node("opcua_server.js", str(pki)) as peer:
        yield peer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gateway's folder that tests share, so that its certificate is made once."""
    return tmp_path_factory.mktemp("gateway")


def tag(name: str, **keys: Any) -> OpcuaTag:
    return OpcuaTag(tag=keys.pop("tag", name), node=f"nsu={NAMESPACE};s={name}", **keys)


def source(server: Peer, *tags: OpcuaTag, **keys: Any) -> OpcuaSource:
    return OpcuaSource(
        name="line1",
        kind="opcua",
        url=f"opc.tcp://127.0.0.1:{server.ready['port']}",
        security=keys.pop("security", "none"),
        publish_ms=50,
        tags=tags or (tag("Double"),),
        **keys,
    )


def first(settings: OpcuaSource, folder: Path, *, probing: bool = False) -> dict[str, Sample]:
    async def run() -> dict[str, Sample]:
        async with opened(OpcuaAdapter(settings, context(folder, probing=probing))) as line:
            return await first_of_each(line)

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ["subscribe", "poll"])
def test_every_type_is_read(server: Peer, folder: Path, mode: str) -> None:
    moment = datetime(2026, 3, 1, 8, 0, 0, 250_000, UTC).timestamp()
    plain = {
        "Flag": 1.0, "SByte": -100.0, "Byte": 200.0, "Int16": -30_000.0, "UInt16": 60_000.0,
        "Int32": -2e9, "UInt32": 4e9, "Int64": -(2.0**40), "UInt64": 2.0**40,
        "Float": 0.5, "Double": 1.25e-9, "Moment": moment,
    }  # fmt: skip
    special: list[tuple[OpcuaTag, float | None, int]] = [
        (tag("Reading", parse="number"), 12.5, GOOD),
        (tag("Word", states="packml"), 6.0, GOOD),
        (tag("Label", states="packml"), 11.0, GOOD),
        (tag("Zones", index=2), 183.5, GOOD),
        (tag("State", states={"idle": 1, "run": 2}), 2.0, GOOD),
        (tag("Discrete", states={"off": 1, "warming_up": 2, "on": 3}), 2.0, GOOD),
        (tag("ValueDiscrete", states={"red": 1, "green": 2}), 2.0, GOOD),
        (tag("Serial"), None, BAD_TYPE_MISMATCH),
        (tag("Bytes"), None, BAD_TYPE_MISMATCH),
        (tag("Broken"), None, CODES["BadSensorFailure"]),
    ]
    tags = [tag(name) for name in plain] + [one for one, _, _ in special]
    found = first(source(server, *tags, mode=mode, poll_s=0.1), folder)
    wanted: dict[str, tuple[float | None, int]] = {n: (value, GOOD) for n, value in plain.items()}
    wanted |= {one.tag: (value, status) for one, value, status in special}
    assert {name: one[2:] for name, one in found.items()} == wanted


@pytest.mark.parametrize("security", POLICIES)
@pytest.mark.parametrize("mode", ["SignAndEncrypt", "Sign"])
def test_each_policy_is_spoken_with_a_made_certificate(
    server: Peer, folder: Path, security: str, mode: str
) -> None:
    settings = source(
        server, security=security, security_mode=mode, username="reader", password_env="LINE1"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINE1", PASSWORD)
        assert first(settings, folder)["Double"].value == 1.25e-9
    key = folder / "state" / "opcua" / "private_key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_password_without_security_leaves_only_when_allowed(server: Peer, folder: Path) -> None:
    (folder / "right").write_text(PASSWORD)
    keys = {"username": "reader", "password_file": "right"}
    refused = source(server, **keys)
    assert [fault.place for fault in refused.faults()] == [("security",)]
    allowed = source(server, allow_plain_password=True, **keys)
    assert list(allowed.faults()) == []
    assert first(allowed, folder)["Double"].value == 1.25e-9


def test_a_wrong_password_is_told(server: Peer, folder: Path) -> None:
    (folder / "password").write_text("wrong\n")
    settings = source(server, security=POLICIES[0], username="reader", password_file="password")
    with pytest.raises(SourceError, match="refused the login"):
        first(settings, folder)


def test_a_given_certificate_is_shown_and_its_end_told_once(
    server: Peer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = generate_private_key()
    name: list[x509.GeneralName] = [x509.UniformResourceIdentifier("urn:example:gateway")]
    usage = [ExtendedKeyUsageOID.CLIENT_AUTH]
    short = generate_self_signed_app_certificate(key, "示例网关", {}, name, usage, days=20)
    (tmp_path / "g.pem").write_bytes(short.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "k.pem").write_bytes(dump_private_key_as_pem(key))
    keys = {"certificate": "g.pem", "private_key": "k.pem"}
    line = OpcuaAdapter(source(server, security=POLICIES[1], **keys), context(tmp_path))

    async def twice() -> None:
        for _ in range(2):
            async with opened(line):
                assert (await first_of_each(line))["Double"].status == GOOD

    asyncio.run(twice())
    told = [one.getMessage() for one in caplog.records if one.name == "collectors.opcua"]
    ends = short.not_valid_after_utc
    assert told == [
        f"line1: the certificate {tmp_path / 'g.pem'} expires on {ends:%Y-%m-%d}; replace it"
    ]


def test_a_person_may_log_in_by_certificate(server: Peer, pki: Path, folder: Path) -> None:
    person = own_identity(folder / "person", keep=True)
    settings = source(
        server,
        security=POLICIES[0],
        user_certificate="person/certificate.der",
        user_private_key="person/private_key.pem",
    )
    with pytest.raises(SourceError, match="refused the login"):
        first(settings, folder)
    for rejected in (pki / "user" / "rejected").iterdir():
        rejected.unlink()
    (pki / "user" / "trusted" / "certs" / "person.der").write_bytes(person.certificate)
    server.tell(reload="user")
    assert server.hear() == {"reloaded": True}
    assert first(settings, folder)["Double"].value == 1.25e-9


def test_a_changed_server_certificate_is_refused_with_what_to_do(
    server: Peer, tmp_path: Path
) -> None:
    settings = source(server, security=POLICIES[0])
    first(settings, tmp_path)
    memory = memory_of(settings, tmp_path / "state")
    shown = memory.read_bytes()
    memory.write_bytes(own_identity(tmp_path / "other", keep=False).certificate)
    with pytest.raises(SourceUntrusted, match=f"delete {memory}"):
        first(settings, tmp_path)
    memory.unlink()
    assert first(settings, tmp_path)["Double"].status == GOOD
    assert memory.read_bytes() == shown


def test_a_pinned_server_is_the_only_one(server: Peer, tmp_path: Path) -> None:
    unpinned = source(server, security=POLICIES[0])
    first(unpinned, tmp_path)
    shown = memory_of(unpinned, tmp_path / "state").read_bytes()
    other = own_identity(tmp_path / "other", keep=False).certificate
    (tmp_path / "right.der").write_bytes(shown)
    (tmp_path / "wrong.der").write_bytes(other)
    right: list[dict[str, str]] = [
        {"server_certificate": "right.der"},
        {"server_fingerprint": fingerprint(shown).upper()},
    ]
    wrong: list[dict[str, str]] = [
        {"server_certificate": "wrong.der"},
        {"server_fingerprint": fingerprint(other)},
    ]
    for keys in right:
        assert first(source(server, security=POLICIES[0], **keys), tmp_path)["Double"].value
    for keys in wrong:
        with pytest.raises(SourceUntrusted, match=fingerprint(shown)):
            first(source(server, security=POLICIES[0], **keys), tmp_path)


def test_a_probe_leaves_no_trace_in_the_folder(server: Peer, tmp_path: Path) -> None:
    settings = source(server, security=POLICIES[0])
    assert first(settings, tmp_path, probing=True)["Double"].status == GOOD
    assert list(tmp_path.iterdir()) == []


def test_a_change_arrives_and_no_session_is_left_behind(
    server: Peer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> float | None:
        async with opened(OpcuaAdapter(source(server, tag("Float")), context(folder))) as line:
            await first_of_each(line)
            server.tell(write="Float", value=7.25)
            found = await receive_until(
                line, lambda seen: any(s.value == 7.25 for s in samples_of(seen)), "the change"
            )
            return samples_of(found)[-1].value

    assert asyncio.run(run()) == 7.25
    server.tell(ask="sessions")
    assert server.hear() == {"sessions": 0}
    assert [one for one in caplog.records if one.name == "collectors.opcua"] == []
