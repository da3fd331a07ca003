"""Headers of every answer, and who may ask."""

import asyncio
import ssl
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

import api.server
import store
from api import account_admin
from api.errors import NotLoopback
from api.peer import Tls
from api.security import Guard
from store.accounts import NewAccount
from tests.api.conftest import served
from tests.store.people import MAKER
from tests.support.certificates import Authority

PATHS = [
    ("/", 200),
    ("/factories/SAMPLE-1", 200),
    ("/factories/SAMPLE-1/fulfilment.svg", 200),
    ("/static/style.css", 200),
    ("/api/v1/factories", 200),
    ("/healthz", 200),
    ("/nothing", 404),
    ("/api/v1/follow-up?cursor=x", 422),
]


@pytest.mark.parametrize(("path", "status"), PATHS)
def test_every_answer_forbids_scripts_and_frames(
    client: httpx.Client, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "server" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "localhost:1", "[::1]:8000"])
def test_this_machine_answers_to_its_own_names(client: httpx.Client, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["pool.example.com", "127.0.0.1.example.com:80", "localhost.:x"])
def test_a_foreign_name_that_points_here_gets_nothing(client: httpx.Client, host: str) -> None:
    answer = client.get("/api/v1/factories", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "pool.example.com", ""])
def test_serving_others_without_tls_is_refused(host: str) -> None:
    with pytest.raises(NotLoopback, match="over TLS only"):
        api.server.serve("postgresql://127.0.0.1:1/none", host, 8321)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_may_be_served(host: str) -> None:
    assert api.server.config("postgresql://127.0.0.1:1/none", host, 8321).host == host


def test_over_tls_others_are_served_under_the_names_that_were_given(
    database_url: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    city = authority.issue("city")
    context = ssl.create_default_context(cafile=authority.certificate)
    tls = Tls(city.certificate, city.key)
    with (
        served(database_url, tls=tls, names=("Pool.example",)) as address,
        httpx.Client(base_url=address, verify=context, timeout=30) as client,
    ):
        named = client.get("/login", headers={"Host": "pool.example:8443"})
        assert (named.status_code, named.headers["strict-transport-security"]) == (
            200, "max-age=31536000",
        )  # fmt: skip
        assert client.get("/login", headers={"Host": "other.example"}).status_code == 421
        assert "strict-transport-security" not in client.get("/login").headers


def test_over_tls_the_cookie_is_for_tls_alone(database_url: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    city = authority.issue("city")
    with closing(store.connect(database_url)) as conn:
        made = account_admin.make(conn, MAKER, NewAccount("anna", "Anna", "city_officer"))
    with (
        served(database_url, tls=Tls(city.certificate, city.key)) as address,
        httpx.Client(
            base_url=address,
            verify=ssl.create_default_context(cafile=authority.certificate),
            timeout=30,
        ) as client,
    ):
        given = {"login": made.login, "password": made.password}
        cookie = client.post("/login", data=given).headers["set-cookie"]
        assert cookie.startswith("__Host-millpond=")
        assert {"secure", "httponly", "path=/"} <= {
            part.strip().lower() for part in cookie.split(";")
        }
        assert client.get("/").headers["location"] == "/login/password"
        secret = cookie.partition("=")[2].partition(";")[0]
        client.cookies.clear()
        plain = client.get("/", headers={"Cookie": f"millpond_session={secret}"})
        assert plain.headers["location"] == "/login"


@pytest.mark.parametrize(
    ("scheme", "client", "host", "status"),
    [
        ("https", "192.0.2.7", "pool.example", 200),
        ("http", "192.0.2.7", "pool.example", 403),
        ("https", "192.0.2.7", "127.0.0.1", 403),
        ("http", "127.0.0.1", "pool.example", 421),
        ("https", "127.0.0.1", "localhost", 200),
    ],
)
def test_who_is_served_from_where_and_under_which_name(
    scheme: str, client: str, host: str, status: int
) -> None:
    async def served_page(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("here")(scope, receive, send)

    scope = {
        "type": "http", "method": "GET", "scheme": scheme, "path": "/login",
        "query_string": b"", "headers": [(b"host", host.encode())],
        "client": (client, 1), "server": ("127.0.0.1", 1),
    }  # fmt: skip
    seen: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    async def receive() -> Message:
        return {"type": "http.request"}

    asyncio.run(Guard(served_page, names=["pool.example"])(scope, receive, send))
    assert seen == [status]
