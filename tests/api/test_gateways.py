"""How the city knows a gateway by its certificate, and who may come to what from where."""

import asyncio
import hashlib
import ssl
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

import api.server
import store
from api.errors import NotServed
from api.peer import Tls
from api.security import Guard
from store import access, signing
from tests.api.conftest import served
from tests.store.samples import with_plan
from tests.support.certificates import Authority, Pair

PATH = "/api/v1/ingest/"
HEADER = "X-Client-Cert"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def registered(db: store.Connection, authority: Authority) -> Pair:
    """The certificate of an enrolled gateway."""
    pair = authority.issue("gateway")
    with_plan(db)
    code = access.make_enrolment_code(db, "sample", "gw-city", actor="", by_certificate=True)
    seed = signing.generate_key()
    public = signing.public_key(seed)
    proof = signing.sign(seed, signing.enrolment_proof("gw-city", code, public))
    asked = access.Enrolment("gw-city", code, public, proof)
    assert access.enrol(db, asked, pair.fingerprint(), actor="") is None
    return pair


def coming_with(authority: Authority, pair: Pair | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.certificate)
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


def test_a_gateway_is_known_by_its_certificate(
    database_url: str, authority: Authority, registered: Pair, tmp_path: Path
) -> None:
    city, other = authority.issue("city"), authority.issue("other")
    tls = Tls(city.certificate, city.key, authority.certificate)
    (tmp_path / "forged").mkdir()
    forged = Authority(tmp_path / "forged").issue("gateway")
    with served(database_url, tls=tls) as address:

        def status(pair: Pair | None, **headers: str) -> int:
            context = coming_with(authority, pair)
            return httpx.get(
                f"{address}{PATH}last", verify=context, headers=headers, timeout=30
            ).status_code

        assert status(registered) == 200
        assert status(other) == 401
        assert status(None) == 401
        # Nobody said that a proxy stands in front, so what a header says is nothing.
        assert status(None, **{HEADER: registered.fingerprint().hex()}) == 401
        with pytest.raises(httpx.TransportError):
            status(forged)
        pages = httpx.get(f"{address}/healthz", verify=coming_with(authority, None), timeout=30)
        assert pages.status_code == 200


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (lambda pair: pair.fingerprint().hex(), 200),
        (lambda pair: pair.fingerprint().hex(":").upper(), 200),
        (lambda pair: quote(pair.certificate.read_text()), 200),
        (lambda pair: "", 401),
        (lambda pair: "00" * 32, 401),
        (lambda pair: hashlib.sha1(pair.fingerprint()).hexdigest(), 401),
        (lambda pair: "zz" * 32, 401),
        (lambda pair: "-----BEGIN CERTIFICATE-----", 401),
    ],
    ids=["digits", "colons", "pem", "none", "unknown", "sha1", "no digits", "cut off"],
)
def test_a_proxy_in_front_may_name_the_certificate(
    database_url: str, registered: Pair, shown: object, status: int
) -> None:
    assert callable(shown)
    with served(database_url, certificate_header=HEADER) as address:
        answer = httpx.get(f"{address}{PATH}last", headers={HEADER: shown(registered)}, timeout=30)
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["type"] == "urn:millpond:error:AccessDenied"


def test_the_certificate_that_comes_with_an_enrolment_is_registered(
    database_url: str, db: store.Connection, authority: Authority
) -> None:
    with_plan(db)
    city, own = authority.issue("city"), authority.issue("own")
    code = access.make_enrolment_code(db, "sample", "gw-city", actor="", by_certificate=True)
    seed = signing.generate_key()
    public = signing.public_key(seed)
    asked = {
        "gateway": "gw-city",
        "code": code,
        "public_key": public.hex(),
        "signature": signing.sign(seed, signing.enrolment_proof("gw-city", code, public)).hex(),
    }
    with served(database_url, tls=Tls(city.certificate, city.key, authority.certificate)) as url:
        context = coming_with(authority, own)
        answer = httpx.post(f"{url}{PATH}enrolments", json=asked, verify=context, timeout=30)
        assert (answer.status_code, answer.json()["token"]) == (200, None)
    with closing(store.connect(database_url)) as conn:
        assert access.by_certificate(conn, own.fingerprint()) == "gw-city"


@pytest.mark.parametrize(
    ("path", "client", "host", "status"),
    [
        ("/api/v1/ingest/last", "192.0.2.7", "city.example", 204),
        ("/api/v1/ingest/last", "127.0.0.1", "city.example", 204),
        ("/api/v1/factories", "127.0.0.1", "127.0.0.1:8443", 204),
        ("/api/v1/factories", "::1", "localhost", 204),
        ("/api/v1/factories", "192.0.2.7", "127.0.0.1", 403),
        ("/", "192.0.2.7", "localhost", 403),
        ("/", "127.0.0.1", "city.example", 421),
        ("/api/v1/ingest", "192.0.2.7", "city.example", 403),
        ("/api/v1/ingestion/x", "192.0.2.7", "city.example", 403),
        ("/", "somewhere", "localhost", 403),
    ],
)
def test_only_gateways_come_from_elsewhere(path: str, client: str, host: str, status: int) -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", host.encode())],
        "client": (client, 50_000),
        "server": ("127.0.0.1", 8443),
        "scheme": "https",
    }
    asyncio.run(Guard(app)(scope, receive, send))
    assert sent[0]["status"] == status


def test_files_that_are_no_certificate_are_told_in_one_line(
    tmp_path: Path, authority: Authority
) -> None:
    pair, other = authority.issue("city"), authority.issue("other")
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    for tls in (
        Tls(tmp_path / "none.pem", pair.key),
        Tls(pair.certificate, other.key),
        Tls(pair.certificate, pair.key, bad),
    ):
        with pytest.raises(NotServed, match="give PEM files that belong together") as caught:
            api.server.config("postgresql://127.0.0.1:1/none", "127.0.0.1", 8321, tls=tls)
        assert "\n" not in str(caught.value)


def test_another_host_needs_tls(authority: Authority) -> None:
    pair = authority.issue("city")
    url = "postgresql://127.0.0.1:1/none"
    found = api.server.config(url, "192.0.2.7", 8443, tls=Tls(pair.certificate, pair.key))
    assert (found.host, found.is_ssl) == ("192.0.2.7", True)


def test_a_body_that_does_not_come_is_not_waited_for(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.bodies._WITHIN_S", 0.2)
    with served(database_url) as address:
        host, port = address.removeprefix("http://").split(":")

        async def ask() -> bytes:
            reader, writer = await asyncio.open_connection(host, int(port))
            head = f"POST {PATH}enrolments HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\n\r\n"
            writer.write(head.encode() + b"{")
            async with asyncio.timeout(30):
                line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return line

        assert b" 408 " in asyncio.run(ask())


def test_a_proxy_on_this_machine_does_not_open_the_pages(database_url: str) -> None:
    with served(database_url) as address:
        forwarded = {"X-Forwarded-For": "192.0.2.7"}
        assert httpx.get(f"{address}/healthz", headers=forwarded, timeout=30).status_code == 403
        assert httpx.get(f"{address}{PATH}time", headers=forwarded, timeout=30).status_code == 200
        assert httpx.get(f"{address}/healthz", timeout=30).status_code == 200
