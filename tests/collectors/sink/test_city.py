"""What answers is not always the city: nothing of that passes for an acknowledgement."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from collectors.config.file import GatewayConfig, load
from collectors.config.sink import address_fault
from collectors.errors import NotSet, SinkUnavailable
from collectors.sink.choice import transport_for
from collectors.sink.token import read_token, token_path, write_token
from collectors.sink.transport import Link
from store import signing
from store.batches import Batch
from store.errors import BadHash, Refused, SequenceConflict, UnknownTag
from tests.collectors.plant import GATEWAY
from tests.collectors.sink.test_sink import SOURCE
from tests.store.samples import Gateway, rows_of

FILE = """\
[gateway]
id = "gw-test"
key = "gateway.key"

[spool]
path = "spool.db"

[sink]
kind = "https"
url = "{url}"
timeout_s = {timeout_s}
"""
TIME = json.dumps({"server_time": "2026-03-01T00:00:00Z"}).encode()


class Stranger(BaseHTTPRequestHandler):
    """Answers the question for the time as a city does, and everything else as it was told."""

    status: ClassVar[int] = 200
    headers_sent: ClassVar[dict[str, str]] = {}
    body: ClassVar[bytes] = b""
    asked: ClassVar[list[tuple[str, str | None]]] = []

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        self.asked.append((self.requestline, self.headers.get("authorization")))

    def _answer(self) -> None:
        known = self.path.endswith("/time")
        status, body = (200, TIME) if known else (self.status, self.body)
        self.send_response(status)
        for name, value in {} if known else self.headers_sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def stranger(
    status: int, body: bytes = b"", **headers: str
) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Hold a server that answers so; yield its address and the request lines that it got."""
    asked: list[tuple[str, str | None]] = []
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    names = {"status": status, "body": body, "headers_sent": found, "asked": asked}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Stranger,), names))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def config_of(folder: Path, url: str, timeout_s: float = 20) -> GatewayConfig:
    path = folder / "gateway.toml"
    path.write_text(FILE.format(url=url, timeout_s=timeout_s) + SOURCE, "utf-8")
    config = load(path)
    write_token(token_path(config), "secret")
    return config


@contextmanager
def linked(folder: Path, url: str) -> Iterator[Link]:
    with transport_for(config_of(folder, url)).connect() as link:
        yield link


@pytest.fixture
def batch() -> Batch:
    return Gateway(GATEWAY, signing.generate_key(), {}).batch(rows_of([1]))


def problem(kind: str) -> bytes:
    return json.dumps({"type": f"urn:millpond:error:{kind}", "detail": "because"}).encode()


def receipt(batch: Batch, **changed: object) -> bytes:
    found = {
        "outcome": "accepted",
        "batch_id": 1,
        "absorbed": 0,
        "conflicts": 0,
        "seq": batch.seq,
        "sha256": batch.sha256.hex(),
        "server_time": "2026-03-01T00:00:00Z",
    }
    return json.dumps(found | changed).encode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>please log in</html>", "a proxy or a login page"),
        (b"[]", "a proxy or a login page"),
        (b"[" * 100_000, "a proxy or a login page"),
        (b"{}", "does not acknowledge batch 1"),
        (b'{"seq": 2, "outcome": "accepted"}', "does not acknowledge batch 1"),
    ],
)
def test_a_page_that_says_200_acknowledges_nothing(
    tmp_path: Path, batch: Batch, body: bytes, words: str
) -> None:
    with (
        stranger(200, body) as (url, _),
        linked(tmp_path, url) as link,
        pytest.raises(SinkUnavailable, match=words),
    ):
        link.accept(batch)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seq": 7}, "does not acknowledge"),
        ({"sha256": "00" * 32}, "does not acknowledge"),
        ({"outcome": "perhaps"}, "no acknowledgement"),
        ({"batch_id": None}, "no acknowledgement"),
    ],
)
def test_only_the_very_batch_is_acknowledged(
    tmp_path: Path, batch: Batch, changed: dict[str, object], words: str
) -> None:
    with stranger(200, receipt(batch)) as (url, _), linked(tmp_path, url) as link:
        assert link.accept(batch).outcome == "accepted"
    with (
        stranger(200, receipt(batch, **changed)) as (url, _),
        linked(tmp_path, url) as link,
        pytest.raises(SinkUnavailable, match=words),
    ):
        link.accept(batch)


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (409, "SequenceConflict", SequenceConflict),
        (422, "UnknownTag", UnknownTag),
        (422, "BadHash", BadHash),
        (422, "Refused", Refused),
        (422, "WireRefused", Refused),
        (422, "WireUnknown", SinkUnavailable),
        (401, "AccessDenied", SinkUnavailable),
        (422, "SomethingNew", SinkUnavailable),
    ],
)
def test_the_name_of_an_error_decides_what_becomes_of_the_batch(
    tmp_path: Path, batch: Batch, status: int, kind: str, error: type[Exception]
) -> None:
    with (
        stranger(status, problem(kind)) as (url, _),
        linked(tmp_path, url) as link,
        pytest.raises(error, match="because"),
    ):
        link.accept(batch)


@pytest.mark.parametrize(
    ("status", "headers", "words", "after_s"),
    [
        (503, {"Retry_After": "7"}, "it answers 503", 7.0),
        (429, {"Retry_After": "99999"}, "it answers 429", 3600.0),
        (503, {"Retry_After": "Sun, 01 Mar 2020 00:00:00 GMT"}, "it answers 503", 0.0),
        (503, {"Retry_After": "soon"}, "it answers 503", None),
        (502, {}, "it answers 502", None),
        (404, {}, "see whether url leads to Millpond", None),
        (302, {"Location": "https://login.example"}, "sends elsewhere, to https://login", None),
    ],
)
def test_anything_else_is_tried_again_when_the_city_says(
    tmp_path: Path,
    batch: Batch,
    status: int,
    headers: dict[str, str],
    words: str,
    after_s: float | None,
) -> None:
    with (
        stranger(status, b"", **headers) as (url, _),
        linked(tmp_path, url) as link,
        pytest.raises(SinkUnavailable, match=words) as caught,
    ):
        link.accept(batch)
    assert caught.value.after_s == after_s


def test_a_proxy_that_takes_less_makes_batches_smaller(tmp_path: Path, batch: Batch) -> None:
    with (
        stranger(413, b"<html>too large</html>") as (url, _),
        linked(tmp_path, url) as link,
        pytest.raises(Refused, match="too large for one request"),
    ):
        link.accept(batch)


def test_a_batch_that_no_city_would_take_is_not_sent(
    tmp_path: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.wire.MOST_BYTES", 100)
    with stranger(200, receipt(batch)) as (url, asked), linked(tmp_path, url) as link:
        before = len(asked)
        with pytest.raises(Refused, match="more than one request may have"):
            link.accept(batch)
        assert len(asked) == before


def test_an_answer_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.sink.city._MOST_ANSWER", 1000)
    with (
        stranger(200, b" " * 1001) as (url, _),
        linked(tmp_path, url) as link,
        pytest.raises(SinkUnavailable, match="does not come to an end"),
    ):
        link.tags()


@pytest.mark.parametrize("body", [b"{}", b'{"tags": []}', b'{"tags": {"A": "1"}}'])
def test_tags_that_are_none(tmp_path: Path, body: bytes) -> None:
    with (
        stranger(200, body) as (url, _),
        linked(tmp_path, url) as link,
        pytest.raises(SinkUnavailable, match="no tags"),
    ):
        link.tags()


@pytest.mark.parametrize("body", [b"{}", b'{"seq": 1, "sha256": "zz"}', b'{"seq": "1"}'])
def test_a_chain_that_is_none(tmp_path: Path, body: bytes) -> None:
    with (
        stranger(200, body) as (url, _),
        linked(tmp_path, url) as link,
        pytest.raises(SinkUnavailable, match="where the chain stands"),
    ):
        link.last()


def test_a_city_that_takes_the_connection_and_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        transport = transport_for(config_of(tmp_path, url, timeout_s=1))
        with pytest.raises(SinkUnavailable, match="timed out"), transport.connect():
            pass


def test_the_proxy_of_the_environment_is_used_and_never_sees_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stranger(200) as (url, asked):
        monkeypatch.setenv("HTTPS_PROXY", url)
        with pytest.raises(SinkUnavailable), linked(tmp_path, "https://city.example"):
            pass
    assert set(asked) == {("CONNECT city.example:443 HTTP/1.1", None)}


def test_an_address_from_the_environment_is_judged_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(tmp_path, "https://city.example")
    text = config.path.read_text("utf-8")
    config.path.write_text(
        text.replace('url = "https://city.example"', 'url_env = "CITY"'), "utf-8"
    )
    monkeypatch.setenv("CITY", "http://city.example")
    with pytest.raises(NotSet, match="must begin with https://"):
        transport_for(load(config.path))
    monkeypatch.delenv("CITY")
    with pytest.raises(NotSet, match="set CITY in the environment"):
        transport_for(load(config.path))


@pytest.mark.parametrize(
    ("url", "allow_plain", "words"),
    [
        ("https://city.example", False, None),
        ("https://city.example:8443/millpond/", False, None),
        ("http://127.0.0.1:8321", False, None),
        ("http://[::1]:8321", False, None),
        ("http://localhost", False, None),
        ("http://city.example", False, "must begin with https://"),
        ("http://127.0.0.1.example", False, "must begin with https://"),
        ("http://city.example", True, None),
        ("ftp://city.example", True, "such as https://"),
        ("city.example", True, "such as https://"),
        ("https://", True, "such as https://"),
        ("https://city.example:x", True, "is no address"),
        ("https://city.example/?a=1", True, "question mark"),
        ("https://gw:secret@city.example", True, "user name"),
    ],
)
def test_which_addresses_are_taken(url: str, allow_plain: bool, words: str | None) -> None:
    found = address_fault(url, allow_plain)
    assert (found is None) if words is None else (found is not None and words in found)


@pytest.mark.parametrize("text", ["", "  \n", "a\x00b", "é"])
def test_a_file_that_holds_no_token(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text, "utf-8")
    with pytest.raises(NotSet, match="token"):
        read_token(path)


def test_a_token_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "token"
    assert read_token(path) is None
    write_token(path, "first")
    write_token(path, "second")
    assert read_token(path) == "second"
    assert [found.name for found in path.parent.iterdir()] == ["token"]
    (tmp_path / "file").write_text("")
    with pytest.raises(NotSet, match="cannot be written"):
        write_token(tmp_path / "file" / "token", "third")
