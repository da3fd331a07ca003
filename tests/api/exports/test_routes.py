"""Letters and reports over the interface and on their page, by real requests."""

from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest

import store
from api.exports.worker import DOCUMENTS
from api.identity import csrf_of
from api.worker import work_off
from tests.api import samples
from tests.api.conftest import served
from tests.api.exports.opened import open_pdf
from tests.api.people import client_of, secret_of
from tests.support.database import cloned_database

_PATH = "/api/v1/factories/SAMPLE-1/documents"
_REPORT = {"kind": "verification_report"}

Client = Callable[..., httpx.Client]


@pytest.fixture(scope="module")
def pool_url(database_server: str) -> Iterator[str]:
    """Database of this module with the sample pool."""
    with cloned_database(database_server) as url:
        with closing(store.connect(url)) as conn:
            samples.load(conn)
        yield url


@pytest.fixture(scope="module")
def client(pool_url: str) -> Iterator[Client]:
    """Make clients of people of a role, with the token of their session."""
    opened: list[httpx.Client] = []
    with served(pool_url) as address:

        def make(role: str, **scope: object) -> httpx.Client:
            secret = secret_of(pool_url, role, **scope)  # type: ignore[arg-type]
            found = client_of(address, secret)
            found.headers["X-CSRF-Token"] = csrf_of(secret)
            opened.append(found)
            return found

        yield make
        for each in opened:
            each.close()


def asked(client: httpx.Client, key: str, **more: str) -> httpx.Response:
    return client.post(_PATH, json=_REPORT | more, headers={"Idempotency-Key": key})


def test_a_report_is_asked_for_made_beside_and_downloaded(client: Client, pool_url: str) -> None:
    officer = client("county_officer", region="320613")
    answer = asked(officer, "first")
    assert answer.status_code == 202, answer.text
    place = answer.headers["location"]
    assert officer.get(place).json()["state"] == "queued"
    assert officer.get(f"{place}/file").status_code == 404
    again = asked(officer, "first")
    assert (again.status_code, again.json()) == (202, answer.json())
    assert asked(officer, "second").status_code == 409
    assert work_off(DOCUMENTS, pool_url) == 1
    found = officer.get(place).json()
    assert (found["state"], found["progress"], found["version"]) == ("done", 100, 1)
    file = officer.get(f"{place}/file")
    assert file.headers["content-type"] == "application/pdf"
    assert found["content_sha256"] in open_pdf(file.content).text
    word = officer.get(f"{place}/file", params={"form": "docx"})
    assert word.content.startswith(b"PK")
    page = officer.get("/factories/SAMPLE-1/documents").text
    assert "核验报告" in page
    assert f"{place}/file?form=pdf" in page


def test_a_document_of_another_county_is_not_there(client: Client, pool_url: str) -> None:
    city = client("city_officer")
    answer = asked(city, "mine")
    assert answer.status_code == 202
    work_off(DOCUMENTS, pool_url)
    place = answer.headers["location"]
    other = client("county_officer", region="320623")
    assert other.get(place).status_code == 404
    assert other.get(f"{place}/file").status_code == 404
    assert asked(other, "theirs").status_code == 404
    elsewhere = place.replace("SAMPLE-1", "SAMPLE-9")
    assert city.get(elsewhere).status_code == 404


def test_an_enterprise_reads_its_documents_and_asks_for_none(client: Client) -> None:
    owner = client("ent_approver", factories=("SAMPLE-1",))
    assert owner.get(_PATH).status_code == 200
    assert asked(owner, "own").status_code == 403
    assert '<form class="choose"' not in owner.get("/factories/SAMPLE-1/documents").text


def test_the_page_asks_and_says_why_not(client: Client) -> None:
    officer = client("city_officer")
    page = "/factories/SAMPLE-2/documents"
    refused = officer.post(page, data={"kind": "removal_notice"})
    assert refused.status_code in (404, 409)
    taken = officer.post("/factories/SAMPLE-1/documents", data=_REPORT)
    assert taken.status_code == 303
    shown = officer.get("/factories/SAMPLE-1/documents").text
    assert "排队中" in shown
    assert 'http-equiv="refresh"' in shown
    twice = officer.post("/factories/SAMPLE-1/documents", data=_REPORT)
    assert twice.status_code == 409
    assert "正在生成中" in twice.text


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"kind": "poem"}, 404),
        ({"kind": "verification_report", "period_start": "1999-01-01"}, 404),
        ({"kind": "verification_report", "number": "x" * 61}, 422),
        ({"kind": "verification_report", "number": "a\nb"}, 422),
        ({"kind": "verification_report", "more": 1}, 422),
    ],
)
def test_what_cannot_be_made_is_refused(
    client: Client, given: dict[str, object], status: int
) -> None:
    answer = client("city_officer").post(_PATH, json=given, headers={"Idempotency-Key": "refused"})
    assert answer.status_code == status
