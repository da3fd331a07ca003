"""A form that is sent twice, as by a double click, makes what it makes once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from api.identity import csrf_of
from store import answers
from tests.api.conftest import served
from tests.api.html import parse
from tests.api.people import client_of, session_of
from tests.api.pool.pooled import Pooled

SOURCE = "示例办法第八条"
CASES = {
    "ticket": (
        "ent_filler", "/tickets", "/tickets", "pool.ticket",
        {"factory": "sample", "subject": "网关断线", "text": "请协调。", "level": "county"},
    ),
    "report": (
        "ent_filler", "/reports", "/factories/sample/reports", "pool.report",
        {"kind": "CHG", "happened_on": "2026-03-01"},
    ),
    "policy": (
        "city_officer", "/policy/watch.clear_within", "/policy/watch.clear_within/proposals",
        "pool.policy_value", {"value": "45", "source": SOURCE},
    ),
    "webhook": (
        "city_officer", "/webhooks", "/webhooks", "pool.webhook",
        {"name": "示例平台", "url": "https://data.example.org/millpond"},
    ),
}  # fmt: skip


class Sender:
    """One person in front of a running server."""

    def __init__(self, pooled: Pooled, address: str, role: str) -> None:
        secret = session_of(pooled.conn, pooled.person(role)[0])
        self.client, self._csrf = client_of(address, secret), csrf_of(secret)

    def key(self, page: str, action: str) -> str:
        """Return the key of the form that a page shows for an action."""
        found = parse(self.client.get(page).raise_for_status().text)
        wanted = {"method": "post", "action": action}
        (form,) = [each for each in found.all("form") if wanted.items() <= each.attributes.items()]
        (field,) = [each for each in form.all("input") if each.attributes.get("name") == "once"]
        return field.attributes["value"]

    def send(self, action: str, given: dict[str, str], key: str) -> httpx.Response:
        return self.client.post(action, data={"csrf": self._csrf, "once": key} | given)


@pytest.fixture
def address(pooled: Pooled, database_url: str) -> Iterator[str]:
    pooled.now = datetime.now(UTC)
    with served(database_url) as found:
        yield found


@pytest.mark.parametrize("case", CASES)
def test_a_form_that_is_sent_twice_makes_one(pooled: Pooled, address: str, case: str) -> None:
    role, page, action, table, given = CASES[case]
    sender = Sender(pooled, address, role)
    with sender.client:
        key = sender.key(page, action)
        first, again = (sender.send(action, given, key) for _ in range(2))
        assert first.status_code in (200, 303), first.text
        assert (again.status_code, again.headers.get("location")) == (
            first.status_code, first.headers.get("location"),
        )  # fmt: skip
        if case == "webhook":
            shown = [parse(each.text).one("code").text for each in (first, again)]
            assert shown[0] == shown[1], "the secret is not lost"
        assert pooled.count(table) == 1
        other = sender.key(page, action)
        assert other != key
        assert sender.send(action, given, other).status_code == first.status_code
        assert pooled.count(table) == 2


def test_two_that_come_at_once_make_one(pooled: Pooled, address: str) -> None:
    role, page, action, table, given = CASES["ticket"]
    sender = Sender(pooled, address, role)
    with sender.client, ThreadPoolExecutor(2) as threads:
        key = sender.key(page, action)
        both = list(threads.map(lambda _: sender.send(action, given, key), range(2)))
    assert [each.status_code for each in both] == [303, 303]
    assert both[0].headers["location"] == both[1].headers["location"]
    assert pooled.count(table) == 1


def test_a_refused_form_may_be_sent_again(pooled: Pooled, address: str) -> None:
    role, page, action, table, given = CASES["policy"]
    sender = Sender(pooled, address, role)
    with sender.client:
        key = sender.key(page, action)
        assert sender.send(action, given | {"value": "0"}, key).status_code == 422
        assert sender.send(action, given, key).status_code == 303
    assert pooled.count(table) == 1


def test_the_key_of_another_person_opens_nothing(pooled: Pooled, address: str) -> None:
    _, page, action, table, given = CASES["ticket"]
    one, two = (Sender(pooled, address, role) for role in ("ent_filler", "ent_engineer"))
    with one.client, two.client:
        key = one.key(page, action)
        first, second = one.send(action, given, key), two.send(action, given, key)
    assert first.headers["location"] != second.headers["location"]
    assert pooled.count(table) == 2


def test_answers_to_forms_are_forgotten_as_others_are(pooled: Pooled, address: str) -> None:
    role, page, action, _, given = CASES["ticket"]
    sender = Sender(pooled, address, role)
    with sender.client:
        sender.send(action, given, sender.key(page, action))
    assert pooled.count("pool.answered") == 1
    pooled.conn.execute("UPDATE pool.answered SET at = at - interval '2 hours'")
    answers.forget(pooled.conn, 3600)
    assert pooled.count("pool.answered") == 0
