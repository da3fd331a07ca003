"""A bureau's list over HTTP: template, trial, report by row, import."""

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import store
from api.identity import CSRF_HEADER, csrf_of
from api.pool import entry_runs as service
from api.pool.entry_runs import ENTRIES
from api.worker import work_off
from store import registry
from tests.api.conftest import served
from tests.api.people import client_of, session_of
from tests.api.pool.lists import as_csv, as_workbook, row
from tests.store.people import person

LISTS = "/api/v1/entries"


class Bureau:
    """A program of the bureau that acts for its officer."""

    def __init__(self, conn: store.Connection, address: str, url: str) -> None:
        self.conn, self.url = conn, url
        secret = session_of(conn, person(conn, "city_officer"))
        self.client = client_of(address, secret)
        self.client.headers[CSRF_HEADER] = csrf_of(secret)

    def give(self, content: bytes, key: str, name: str = "名单.csv") -> httpx.Response:
        """Hand over a list."""
        headers = {"Idempotency-Key": key, "Content-Type": "application/octet-stream"}
        return self.client.post(LISTS, params={"name": name}, content=content, headers=headers)

    def take_in(self, place: str, key: str, **given: Any) -> httpx.Response:
        """Ask for the import of a trial's list."""
        headers = {"Idempotency-Key": key}
        return self.client.post(f"{place}/import", json=given, headers=headers)

    def report(self, place: str) -> dict[str, Any]:
        """Have what waits done and return what came of a run."""
        assert work_off(ENTRIES, self.url) == 1
        answer = self.client.get(place)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def codes(self) -> list[str]:
        """Return the factories that are stored."""
        return [each.code for each in registry.factories(self.conn)]


@pytest.fixture
def bureau(db: store.Connection, database_url: str) -> Iterator[Bureau]:
    with served(database_url) as address:
        found = Bureau(db, address, database_url)
        yield found
        found.client.close()


def test_a_list_is_tried_and_taken_in(bureau: Bureau) -> None:
    content = as_workbook(row(1), row(2))
    given = bureau.give(content, "k1", "名单.xlsx")
    assert given.status_code == 202, given.text
    assert given.json()["file_sha256"] == hashlib.sha256(content).hexdigest()
    trial = given.headers["location"]
    found = bureau.report(trial)
    assert (found["state"], found["report"]["written"]) == ("done", False)
    assert found["report"]["counts"] == {"new": 2, "changed": 0, "same": 0, "faulty": 0}
    assert bureau.codes() == []
    asked = bureau.take_in(trial, "k2")
    assert asked.status_code == 202
    assert asked.json()["trial_id"] == found["run_id"]
    assert bureau.report(asked.headers["location"])["report"]["written"]
    assert bureau.codes() == ["ENTRY-1", "ENTRY-2"]
    assert bureau.client.get(trial).json()["import_id"] == asked.json()["run_id"]


def test_each_fault_is_told_by_row_and_column(bureau: Bureau) -> None:
    trial = bureau.give(as_csv(row(1), row(2, kind="混合")), "k1").headers["location"]
    rows = {each["row"]: each for each in bureau.report(trial)["report"]["rows"]}
    assert (rows[2]["outcome"], rows[3]["outcome"]) == ("new", "faulty")
    (problem,) = rows[3]["problems"]
    assert (problem["column"], problem["column_en"], problem["severity"]) == (
        *("类型", "Type"), "error",
    )  # fmt: skip
    assert "混合" in problem["what"]
    refused = bureau.take_in(trial, "k2")
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert bureau.take_in(trial, "k3", skip_faulty=True).status_code == 202


def test_a_repeated_request_gets_the_same_answer_and_is_one_run(bureau: Bureau) -> None:
    content = as_csv(row(1))
    first, again = bureau.give(content, "k1"), bureau.give(content, "k1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert bureau.give(as_csv(row(2)), "k1").status_code == 422, "the key was used for another"
    trial = first.headers["location"]
    bureau.report(trial)
    one, two = bureau.take_in(trial, "k2"), bureau.take_in(trial, "k2")
    assert (two.status_code, two.content) == (one.status_code, one.content)
    assert bureau.take_in(trial, "k3").status_code == 409
    assert len(bureau.client.get(LISTS).json()["items"]) == 2


def test_a_list_that_cannot_be_read_is_told(bureau: Bureau) -> None:
    found = bureau.report(bureau.give(b"\x00\x01", "k1").headers["location"])
    assert found["report"] is None
    assert found["refused"]["en"]
    assert bureau.give(b"", "k2").status_code == 422
    assert bureau.give(b"x" * (service.MOST_BYTES + 1), "k3").status_code == 413
    assert bureau.client.get(f"{LISTS}/99").status_code == 404


def test_lists_come_in_pages_newest_first(bureau: Bureau) -> None:
    for number in range(3):
        assert bureau.give(as_csv(row(1)), f"k{number}").status_code == 202
    first = bureau.client.get(LISTS, params={"limit": 2}).json()
    rest = bureau.client.get(LISTS, params={"before": first["next_before"]}).json()
    found = [each["run_id"] for page in (first, rest) for each in page["items"]]
    assert found == sorted(found, reverse=True)
    assert len(found) == 3
    assert rest["next_before"] is None


def test_the_template_is_taken(bureau: Bureau) -> None:
    for form in ("xlsx", "csv"):
        template = bureau.client.get(f"{LISTS}/template", params={"form": form})
        assert template.status_code == 200
        trial = bureau.give(template.content, form, f"list.{form}").headers["location"]
        assert bureau.report(trial)["report"]["counts"]["new"] == 1
