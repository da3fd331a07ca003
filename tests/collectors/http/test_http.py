"""The HTTP source, asked by a real client: what is taken, and how each refusal reads."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from collectors.errors import NotSet, SourceUnreachable
from collectors.http.adapter import HttpAdapter
from collectors.http.settings import HttpRecord, HttpSource, HttpTag
from collectors.sample import Delivery, to_us
from collectors.status import CODES, GOOD
from tests.collectors.receiving import opened
from tests.collectors.surroundings import context
from tests.support.ports import free_port

LINE = {"line": "SO1-1", "quantity": 5, "due": "2026-03-10"}
DEADLINE_S = 30.0

Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def source(port: int, **changed: Any) -> HttpSource:
    defaults: dict[str, Any] = {
        "tags": (HttpTag(tag="EM01.energy"), HttpTag(tag="M01.state")),
        "records": (HttpRecord(kind="order_line"), HttpRecord(kind="cogs")),
    }
    return HttpSource(name="business", kind="http", port=port, **(defaults | changed))


@asynccontextmanager
async def served(
    settings: HttpSource, seen: list[Delivery], folder: Path = Path("nowhere")
) -> AsyncIterator[None]:
    """Serve a source whose deliveries are seen and then stored, as the gateway does it."""

    async def work(adapter: HttpAdapter) -> None:
        while True:
            delivery = await adapter.receive()
            if delivery.stored is not None:
                seen.append(delivery)
                delivery.stored()

    adapter = HttpAdapter(settings, context(folder))
    async with opened(adapter):
        working = asyncio.create_task(work(adapter))
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


def asked(
    ask: Ask, *, headers: dict[str, str] | None = None, **changed: Any
) -> tuple[httpx.Response, list[Delivery]]:
    """Return the answer to one request, and what the gateway has got by it."""
    settings = source(free_port(), **changed)
    seen: list[Delivery] = []

    async def run() -> httpx.Response:
        base = f"http://127.0.0.1:{settings.port}"
        async with (
            served(settings, seen),
            httpx.AsyncClient(base_url=base, headers=headers, timeout=DEADLINE_S) as client,
        ):
            return await ask(client)

    return asyncio.run(run()), seen


def post(path: str, content: Any) -> Ask:
    if isinstance(content, bytes):
        return lambda client: client.post(path, content=content)
    return lambda client: client.post(path, json=content)


def test_a_record_is_taken() -> None:
    answer, seen = asked(post("/records/order_line", LINE))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    (delivery,) = seen
    assert [(one.kind, one.key, one.body) for one in delivery.records] == [
        ("order_line", "SO1-1", LINE)
    ]


def test_a_list_is_taken_in_its_order() -> None:
    lines = [LINE | {"line": f"SO{n}"} for n in range(50)]
    answer, seen = asked(post("/records/order_line", lines))
    assert answer.json() == {"accepted": 50}
    assert [one.key for one in seen[0].records] == [f"SO{n}" for n in range(50)]


def test_a_refused_record_names_its_fields_and_is_kept_while_the_others_are_taken() -> None:
    wrong = {"line": "SO2", "quantity": -3, "due": "soon"}
    answer, seen = asked(post("/records/order_line", [LINE, wrong]))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["accepted"], body["refused"]) == (1, 1)
    assert body["errors"] == [
        {"field": "1.quantity", "detail": "-3 is less than 0"},
        {"field": "1.due", "detail": '"soon" is not a date such as 2026-03-31'},
    ]
    (delivery,) = seen
    assert [one.key for one in delivery.records] == ["SO1-1"]
    (refused,) = delivery.refused
    assert refused.reason.startswith("order_line: quantity: -3 is less than 0; due: ")
    assert '"SO2"' in refused.payload


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"{", "not JSON"), (b"\xff", "not UTF-8"), (b'{"line": "\\u0000"}', "cannot be stored")],
)
def test_what_is_no_document_is_refused_and_kept(content: bytes, reason: str) -> None:
    answer, seen = asked(post("/records/order_line", content))
    assert answer.status_code == 422
    assert reason in answer.json()["errors"][0]["detail"]
    assert reason in seen[0].refused[0].reason


def test_an_unknown_kind_is_told_with_the_one_that_was_meant() -> None:
    answer, seen = asked(post("/records/oder_line", LINE))
    assert answer.status_code == 404
    assert 'did you mean "order_line"?' in answer.json()["detail"]
    assert seen == []


def test_a_kind_that_the_file_does_not_name_is_not_taken() -> None:
    answer, _ = asked(post("/records/headcount", {"month": "2026-03", "employees": 5}))
    assert answer.status_code == 404
    assert "add a [[source.record]]" in answer.json()["detail"]


def test_values_by_name_have_the_time_at_which_they_came() -> None:
    before = datetime.now(UTC)
    answer, seen = asked(post("/tags", {"EM01.energy": 12.5, "M01.state": None}))
    assert answer.json() == {"accepted": 2}
    energy, state = seen[0].samples
    assert (energy.tag, energy.value, energy.status) == ("EM01.energy", 12.5, GOOD)
    assert to_us(before) <= energy.ts_us <= to_us(datetime.now(UTC))
    assert (state.value, state.status) == (None, CODES["BadNoData"])


def test_values_as_rows_keep_their_own_time_and_status() -> None:
    rows = [
        {"tag": "EM01.energy", "value": 1, "ts": "2026-03-01T08:00:00"},
        {"tag": "EM01.energy", "value": 2, "ts": "2026-03-01T00:00:01Z", "status": "Uncertain"},
        {"tag": "EM01.energy", "value": 3, "ts": "2026-03-01T00:00:02Z", "status": "Bad"},
    ]
    _, seen = asked(post("/tags", rows))
    first = to_us(datetime(2026, 3, 1, tzinfo=UTC))
    assert [tuple(one)[1:] for one in seen[0].samples] == [
        (first, 1.0, GOOD),
        (first + 1_000_000, 2.0, CODES["Uncertain"]),
        (first + 2_000_000, None, CODES["Bad"]),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"tag": "EM01.power", "value": 1}, '"EM01.power" is not among the tags'),
        ({"tag": "EM01.energy", "value": "12"}, "a text, not a number"),
        ({"tag": "EM01.energy", "value": 1, "ts": "1890-01-01"}, "outside the years"),
        ({"tag": "EM01.energy", "value": 1, "status": "Fine"}, 'no status "Fine"'),
        ({"tag": "EM01.energy", "value": 1, "status": ["Good"]}, "there is no status"),
        ({"tag": "EM01.energy", "wert": 1}, '"tag" and "value"'),
    ],
)
def test_a_value_that_does_not_fit_is_refused(row: dict[str, Any], reason: str) -> None:
    answer, seen = asked(post("/tags", [row]))
    assert answer.status_code == 422
    assert reason in answer.json()["errors"][0]["detail"]
    assert seen[0].samples == []
    assert len(seen[0].refused) == 1


def test_too_long_a_body_is_not_read() -> None:
    answer, seen = asked(post("/records/order_line", b" " * 2001), max_body_kb=2)
    assert (answer.status_code, seen) == (413, [])


def test_too_many_items_are_not_taken() -> None:
    answer, seen = asked(post("/tags", b"[" + b"0," * 10_000 + b"0]"))
    assert (answer.status_code, seen) == (413, [])


@pytest.mark.parametrize("header", [None, "Bearer wrong", "secret-token"])
@pytest.mark.parametrize("path", ["/tags", "/records/order_line", "/records/other"])
def test_nobody_sends_without_the_token(
    monkeypatch: pytest.MonkeyPatch, header: str | None, path: str
) -> None:
    monkeypatch.setenv("TOKEN", "secret-token")
    headers = {"Authorization": header} if header else None
    answer, seen = asked(post(path, {"EM01.energy": 1}), token_env="TOKEN", headers=headers)
    assert (answer.status_code, seen) == (401, [])
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_token_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret-token")
    headers = {"Authorization": "Bearer secret-token"}
    answer, _ = asked(post("/tags", {"EM01.energy": 1}), token_env="TOKEN", headers=headers)
    assert answer.status_code == 202


def test_a_token_that_is_not_set_is_told() -> None:
    async def run() -> None:
        adapter = HttpAdapter(source(free_port(), token_file="none.txt"), context())
        async with opened(adapter):
            raise AssertionError("it listens without a token")

    with pytest.raises(NotSet, match=r"none\.txt"):
        asyncio.run(run())


def test_nothing_is_answered_with_202_before_the_disk_has_it() -> None:
    """With the queue full the next is told to come again, and so are those that wait."""
    settings = source(free_port(), queue=1)

    async def run() -> tuple[httpx.Response, httpx.Response]:
        adapter = HttpAdapter(settings, context())
        base = f"http://127.0.0.1:{settings.port}"
        async with httpx.AsyncClient(base_url=base, timeout=DEADLINE_S) as client:
            async with opened(adapter):
                both = [
                    asyncio.create_task(client.post("/tags", json={"EM01.energy": n}))
                    for n in range(2)
                ]
                done, waiting = await asyncio.wait(
                    both, timeout=DEADLINE_S, return_when=asyncio.FIRST_COMPLETED
                )
            (full,), (left,) = done, waiting
            return await full, await left

    full, left = asyncio.run(run())
    assert (full.status_code, left.status_code) == (503, 503)
    assert "too many requests" in full.json()["detail"]
    assert "is ending" in left.json()["detail"]
    assert full.headers["retry-after"] == "5"


def test_a_disk_that_takes_nothing_is_told_in_time() -> None:
    settings = source(free_port(), timeout_s=0.2)

    async def run() -> httpx.Response:
        base = f"http://127.0.0.1:{settings.port}"
        async with (
            opened(HttpAdapter(settings, context())),
            httpx.AsyncClient(base_url=base, timeout=DEADLINE_S) as client,
        ):
            return await client.post("/tags", json={"EM01.energy": 1})

    answer = asyncio.run(run())
    assert answer.status_code == 503
    assert "does not take it in time" in answer.json()["detail"]


def test_a_taken_port_is_told_and_the_address_is_free_after_the_end() -> None:
    settings = source(free_port())

    async def run() -> None:
        async with opened(HttpAdapter(settings, context())):
            with pytest.raises(OSError, match="in use"):
                await HttpAdapter(settings, context()).open()
        with socket.socket() as again:
            again.bind(("127.0.0.1", settings.port))

    asyncio.run(run())


def test_probing_does_not_take_the_port_of_a_running_gateway() -> None:
    adapter = HttpAdapter(source(free_port()), context(probing=True))
    with pytest.raises(SourceUnreachable, match="cannot be asked"):
        asyncio.run(adapter.open())


def test_with_a_certificate_the_way_is_encrypted(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    port = free_port()
    settings = source(port, certificate="server.pem", certificate_key="server.key")
    trusted = ssl.create_default_context(cafile=str(tmp_path / "server.pem"))
    seen: list[Delivery] = []

    async def run() -> httpx.Response:
        base = f"https://127.0.0.1:{port}"
        async with (
            served(settings, seen, tmp_path),
            httpx.AsyncClient(base_url=base, verify=trusted, timeout=DEADLINE_S) as client,
        ):
            return await client.post("/records/order_line", json=LINE)

    assert asyncio.run(run()).status_code == 202
    assert len(seen) == 1


def make_certificate(folder: Path) -> None:
    """Write a certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "server.pem").write_bytes(made.public_bytes(pem))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "server.key").write_bytes(key.private_bytes(pem, form, plain))
