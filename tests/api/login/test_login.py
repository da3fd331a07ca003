"""Logging in by name and password: where it leads, and what wrong ones lock."""

import httpx
import pytest

from store import accounts, audit
from tests.api.html import parse
from tests.api.login.place import Place
from tests.api.people import COOKIE
from tests.store.people import MAKER


def test_a_stranger_is_sent_to_the_log_in_and_back_to_what_was_asked(place: Place) -> None:
    place.account()
    with place.client() as client:
        sent = client.get("/?region=320613&page=1")
        assert (sent.status_code, sent.headers["cache-control"]) == (303, "no-store")
        form = client.get(sent.headers["location"])
        page = parse(form.text)
        assert page.one("h1").text == "登录"
        target = next(
            one.attributes["value"] for one in page.all("input") if one.attributes["name"] == "next"
        )
        back = place.log_in(client, next=target)
        assert (back.status_code, back.headers["location"]) == (303, "/?region=320613&page=1")
        assert client.get(back.headers["location"]).status_code == 200


def test_a_program_without_a_session_gets_401(place: Place) -> None:
    answer = httpx.get(f"{place.address}/api/v1/factories", timeout=30)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "target", ["https://example.com/", "//example.com/", "/\\example.com", "nothing", "/\n/x"]
)
def test_the_log_in_leads_to_no_other_site(place: Place, target: str) -> None:
    place.account()
    with place.client() as client:
        assert place.log_in(client, next=target).headers["location"] == "/todos"


def test_the_cookie_is_for_this_site_and_no_script(place: Place) -> None:
    place.account()
    with place.client() as client:
        cookie = place.log_in(client).headers["set-cookie"].lower()
    assert {"httponly", "path=/", "samesite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert "max-age" not in cookie
    assert "expires" not in cookie


def test_wrong_and_unknown_get_the_same_page(place: Place) -> None:
    place.account()
    with place.client() as client:
        wrong = place.log_in(client, password="Wrong-99-word")
        unknown = place.log_in(client, "nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("anna", "nobody") == unknown.text
    assert COOKIE not in wrong.cookies
    assert "因多次失败被暂时锁定" in parse(wrong.text).one("p", "fault").text


def test_five_failures_lock_the_account_even_for_the_right_password(place: Place) -> None:
    place.account()
    with place.client() as client:
        for _ in range(5):
            assert place.log_in(client, password="Wrong-99-word").status_code == 401
        # Not for the address, which is locked as well.
        place.conn.execute("DELETE FROM auth.address")
        assert place.log_in(client).status_code == 401
        place.conn.execute(
            "UPDATE auth.account SET locked_until = locked_until - INTERVAL '15 minutes'"
        )
        assert place.log_in(client).status_code == 303
    actions = [each.action for each in audit.entries(place.conn)]
    assert actions.count("login_failed") == 4
    assert actions.count("account_locked") == 1
    assert actions[0] == "logged_in"


def test_five_failures_lock_the_address_whatever_the_login(place: Place) -> None:
    place.account()
    with place.client() as client:
        for number in range(5):
            place.log_in(client, f"nobody{number}")
        assert place.log_in(client).status_code == 401
        place.conn.execute("UPDATE auth.address SET locked_until = clock_timestamp()")
        assert place.log_in(client).status_code == 303


def test_a_disabled_account_is_as_unknown(place: Place) -> None:
    number = place.account()
    accounts.set_disabled(place.conn, MAKER, number, disabled=True, version=1)
    with place.client() as client:
        assert place.log_in(client).status_code == 401
