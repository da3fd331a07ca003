"""An officer's webhooks on pages: subscribe, try, pause, look at what did not arrive, delete."""

from collections.abc import Iterator

import pytest

from store import webhooks
from tests.api.conftest import served
from tests.api.html import parse
from tests.api.pool.desk import Desk
from tests.api.webhooks.conftest import Post
from tests.api.webhooks.receiver import Receiver

OFFICER = "city_officer"


@pytest.fixture
def desk(post: Post, database_url: str) -> Iterator[Desk]:
    with served(database_url) as address:
        found = Desk(post.conn, address)
        yield found
        found.close()


def url_of(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/millpond"


def subscribed(desk: Desk, url: str) -> tuple[str, str]:
    """Subscribe and return the page of the subscription, and the secret shown."""
    made = desk.send(OFFICER, "/webhooks", name="示例平台", url=url)
    assert made.status_code == 200, made.text
    assert made.headers["cache-control"] == "no-store"
    page = parse(made.text)
    return page.one("a", "button").attributes["href"] or "", page.one("code").text


def test_the_secret_is_shown_once(desk: Desk, receiver: Receiver) -> None:
    place, secret = subscribed(desk, url_of(receiver))
    assert secret.startswith("whsec_")
    assert secret not in desk.page(OFFICER, place).text
    assert url_of(receiver) in desk.page(OFFICER, "/webhooks").text


@pytest.mark.parametrize("url", ["ftp://example.org/x", "https://user:word@example.org/"])
def test_an_address_that_cannot_be_used_is_refused_beside_the_form(desk: Desk, url: str) -> None:
    refused = desk.send(OFFICER, "/webhooks", name="示例平台", url=url)
    assert refused.status_code == 422
    page = parse(refused.text)
    assert "接收地址不可用" in page.by_id("why").text
    assert page.by_id("url").attributes["value"] == url


def test_a_trial_tells_whether_the_receiver_answers(
    desk: Desk, post: Post, receiver: Receiver
) -> None:
    place, _ = subscribed(desk, url_of(receiver))
    assert desk.send(OFFICER, f"{place}/trial").status_code == 303
    assert "测试正在发送" in desk.page(OFFICER, place).text
    assert post.turn() == 1
    assert "送达" in desk.page(OFFICER, place).text
    receiver.answers.append(500)
    desk.send(OFFICER, f"{place}/trial")
    post.turn()
    assert "answered 500" in desk.page(OFFICER, place).text


def test_a_paused_webhook_gets_nothing_and_then_all_of_it(
    desk: Desk, post: Post, receiver: Receiver
) -> None:
    place, _ = subscribed(desk, url_of(receiver))
    assert desk.send(OFFICER, f"{place}/paused", paused="true").status_code == 303
    post.happen()
    assert post.turn() == 0
    assert "已暂停" in desk.page(OFFICER, place).text
    desk.send(OFFICER, f"{place}/paused", paused="false")
    assert post.turn() == 1


def test_what_did_not_arrive_is_listed_and_sent_again(
    desk: Desk, post: Post, receiver: Receiver
) -> None:
    place, _ = subscribed(desk, url_of(receiver))
    tries = len(post.rules.waits_s) + 1
    receiver.answers += [500] * tries
    post.happen()
    for _ in range(tries):
        post.turn()
    page = desk.page(OFFICER, place)
    (again,) = [f for f in page.all("form") if "dead-letters" in (f.attributes["action"] or "")]
    assert desk.send(OFFICER, again.attributes["action"] or "").status_code == 303
    post.turn()
    assert "已补送" in desk.page(OFFICER, place).text


def test_a_deleted_webhook_is_gone_and_anothers_is_not_there(
    desk: Desk, post: Post, receiver: Receiver
) -> None:
    place, _ = subscribed(desk, url_of(receiver))
    assert desk.as_("city_leader")[0].get(place).status_code == 404
    assert desk.send("city_leader", f"{place}/end").status_code == 404
    assert desk.send(OFFICER, f"{place}/end").status_code == 303
    assert desk.as_(OFFICER)[0].get(place).status_code == 404
    assert webhooks.due(post.conn, most=10) == []
