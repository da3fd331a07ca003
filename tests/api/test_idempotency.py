"""A request that is repeated under its key is done once, also when both come at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

import store
import store.answers
from api.identity import CSRF_HEADER, csrf_of
from tests.api.conftest import served
from tests.api.people import client_of, secret_of

WEBHOOKS = "/api/v1/webhooks"
GIVEN = {"name": "示例平台", "url": "https://data.example.org/millpond"}


@pytest.fixture
def officers(database_url: str) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    one, two = secret_of(database_url), secret_of(database_url)
    with (
        served(database_url) as address,
        client_of(address, one) as first,
        client_of(address, two) as second,
    ):
        first.headers[CSRF_HEADER], second.headers[CSRF_HEADER] = csrf_of(one), csrf_of(two)
        yield first, second


def send(client: httpx.Client, key: str, **changed: Any) -> httpx.Response:
    return client.post(WEBHOOKS, json=GIVEN | changed, headers={"Idempotency-Key": key})


def listed(client: httpx.Client) -> int:
    return len(client.get(WEBHOOKS).json()["items"])


def test_repetitions_that_come_at_once_wait_for_the_first(
    officers: tuple[httpx.Client, httpx.Client],
) -> None:
    officer, _ = officers

    def patiently(_: int) -> httpx.Response:
        """Ask as a client does: again where the service says that it has no room just now."""
        answer = send(officer, "same")
        for _ in range(10):
            if answer.status_code != 503:
                break
            answer = send(officer, "same")
        return answer

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(patiently, range(6)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert listed(officer) == 1


def test_a_key_is_of_one_account_and_one_request(
    officers: tuple[httpx.Client, httpx.Client],
) -> None:
    first, second = officers
    assert send(first, "k").status_code == 201
    assert send(second, "k", name="其他").status_code == 201
    assert send(first, "k", name="其他").status_code == 422
    assert (listed(first), listed(second)) == (1, 1)


def test_a_refusal_is_not_kept(officers: tuple[httpx.Client, httpx.Client]) -> None:
    officer, _ = officers
    assert send(officer, "k", url="https://").status_code == 422
    assert send(officer, "k").status_code == 201


def test_after_a_while_a_key_may_be_used_anew(
    officers: tuple[httpx.Client, httpx.Client], db: store.Connection
) -> None:
    officer, _ = officers
    first = send(officer, "k")
    store.answers.forget(db, 3600)
    assert send(officer, "k").json() == first.json()
    db.execute("UPDATE pool.answered SET at = at - interval '2 hours'")
    store.answers.forget(db, 3600)
    assert send(officer, "k", name="其他").status_code == 201
    assert listed(officer) == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "钥"])
def test_a_key_that_is_none_is_refused(
    officers: tuple[httpx.Client, httpx.Client], key: str
) -> None:
    officer, _ = officers
    answer = officer.post(WEBHOOKS, json=GIVEN, headers=[(b"Idempotency-Key", key.encode())])
    assert answer.status_code == 422
    assert officer.post(WEBHOOKS, json=GIVEN).status_code == 422
