"""Headers of every answer, and who may ask."""

import httpx
import pytest

import api.server
from api.errors import NotLoopback

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
def test_serving_others_is_refused_while_there_is_no_login(host: str) -> None:
    with pytest.raises(NotLoopback, match="no login yet"):
        api.server.serve("postgresql://127.0.0.1:1/none", host, 8321)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_may_be_served(host: str) -> None:
    assert api.server.config("postgresql://127.0.0.1:1/none", host, 8321).host == host
