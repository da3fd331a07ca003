"""Every error is problem+json for machines and a page in words for people."""

from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from psycopg import sql

import store
from tests.api.conftest import served
from tests.api.html import parse
from tests.api.people import client_of, secret_of
from tests.support.waiting import wait_for


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/api/v1/nothing", 404, "Not Found"),
        ("GET", "/api/v1/factories/NOBODY", 404, "Not Found"),
        ("POST", "/api/v1/factories", 405, "Method Not Allowed"),
        ("GET", "/api/v1/factories?limit=many", 422, "Unprocessable"),
    ],
)
def test_machines_get_problem_json(
    client: httpx.Client, method: str, path: str, status: int, title: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == "about:blank"
    assert body["title"].startswith(title)
    assert body["status"] == status
    assert body["instance"] == path.partition("?")[0]
    assert body["detail"]


@pytest.mark.parametrize(
    ("path", "status", "words", "home"),
    [
        # No page, so that nobody asked who is there.
        ("/nothing", 404, "没有这个页面", "/"),
        ("/factories/NOBODY", 404, "没有这个页面", "/todos"),
        ("/?region=999999", 404, "没有这个页面", "/todos"),
        ("/factories/SAMPLE-1?period_start=1999-01-01", 404, "没有这个页面", "/todos"),
        ("/factories/SAMPLE-1?kpi=profit", 422, "地址有误", "/todos"),
        ("/static/nothing.css", 404, "没有这个页面", "/"),
    ],
)
def test_people_get_a_page_in_words(
    client: httpx.Client, path: str, status: int, words: str, home: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    page = parse(answer.text)
    assert page.one("h1").text == words
    assert page.one("a", "button").attributes["href"] == home


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "/%5Celsewhere.example/x", "/x%3Fy"])
def test_no_page_leads_to_another_site_by_the_path_that_was_asked_for(
    address: str, path: str
) -> None:
    # As it was typed: a client's own idea of an address would leave the slashes out.
    with closing(HTTPConnection(urlsplit(address).netloc)) as connection:
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
    (link,) = [each for each in parse(text).all("a") if each.attributes.get("hreflang") == "en"]
    found = urlsplit(urljoin(address + "/", link.attributes["href"].replace("\\", "/")))
    assert (f"{found.scheme}://{found.netloc}", found.query) == (address, "lang=en")


def test_a_write_to_a_page_is_refused_and_says_what_is_allowed(client: httpx.Client) -> None:
    answer = client.post("/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


def test_without_its_database_it_says_so_and_works_again_afterwards(
    database_server: str, database_url: str
) -> None:
    name = sql.Identifier(database_url.rpartition("/")[2])
    with (
        closing(store.connect(database_server)) as server,
        served(database_url) as address,
        client_of(address, secret_of(database_url)) as client,
    ):
        assert client.get("/healthz").json() == {"status": "ok"}
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (database_url.rpartition("/")[2],),
        )
        down = client.get("/healthz")
        assert (down.status_code, down.headers["retry-after"]) == (503, "5")
        assert down.headers["content-type"] == "application/problem+json"
        page = client.get("/")
        assert (page.status_code, page.headers["retry-after"]) == (503, "5")
        assert parse(page.text).one("h1").text == "数据库暂时没有响应"
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        wait_for(lambda: client.get("/healthz").status_code == 200, "the database to be back", 60)
