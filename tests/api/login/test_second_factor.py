"""Codes of a device, and recovery codes for whoever lost it."""

import time

import httpx
import pyotp

from api import second_factor
from store import accounts, audit
from store.acting import Actor
from tests.api.conftest import served
from tests.api.html import parse
from tests.api.login.place import GOOD, OTHER, Place, csrf
from tests.store.samples import with_plan


def _enrol(place: Place, client: httpx.Client, login: str = "anna") -> tuple[str, list[str]]:
    """Log in for the first time, set a device up; return its secret and the recovery codes."""
    assert place.log_in(client, login).headers["location"] == "/login/device"
    page = parse(client.get("/login/device").text)
    secret = page.one("code").text
    assert page.one("main").one("section").all("img")[0].attributes["src"].startswith("data:image")
    given = {"csrf": csrf(client, "/login/device"), "code": pyotp.TOTP(secret).now()}
    shown = parse(client.post("/login/device", data=given).raise_for_status().text)
    return secret, [each.text for each in shown.one("ul", "codes").all("code")]


def _later(place: Place) -> None:
    """Let the codes of these minutes count as not seen."""
    place.conn.execute("UPDATE auth.account SET totp_step = 0")


def test_an_officer_sets_up_a_device_at_the_first_log_in(strict: Place) -> None:
    strict.account()
    with strict.client() as client:
        secret, codes = _enrol(strict, client)
        assert len(set(codes)) == 10
        assert client.get("/").status_code == 200
    _later(strict)
    with strict.client() as client:
        assert strict.log_in(client).headers["location"] == "/login/code"
        assert client.get("/").headers["location"] == "/login/code"
        given = {"csrf": csrf(client, "/login/code"), "code": pyotp.TOTP(secret).now()}
        assert client.post("/login/code", data=given).headers["location"] == "/todos"
        assert client.get("/").status_code == 200


def test_a_code_that_was_seen_opens_nothing_again(strict: Place) -> None:
    strict.account()
    with strict.client() as client:
        secret, _ = _enrol(strict, client)
    _later(strict)
    code = pyotp.TOTP(secret).now()
    statuses = []
    for _ in range(2):
        with strict.client() as client:
            strict.log_in(client)
            given = {"csrf": csrf(client, "/login/code"), "code": code}
            statuses.append(client.post("/login/code", data=given).status_code)
    assert statuses == [303, 401]


def test_half_of_a_log_in_ends_no_other_session_and_the_whole_of_it_does(strict: Place) -> None:
    strict.account()
    with strict.client() as at_work, strict.client() as other:
        secret, _ = _enrol(strict, at_work)
        _later(strict)
        assert strict.log_in(other).headers["location"] == "/login/code"
        assert at_work.get("/").status_code == 200
        given = {"csrf": csrf(other, "/login/code"), "code": pyotp.TOTP(secret).now()}
        assert other.post("/login/code", data=given).headers["location"] == "/todos"
        assert at_work.get("/").status_code == 303


def test_a_recovery_code_opens_once(strict: Place) -> None:
    strict.account()
    with strict.client() as client:
        _, codes = _enrol(strict, client)
    statuses = []
    for code in (codes[0], codes[0], codes[1].upper()):
        with strict.client() as client:
            strict.log_in(client)
            given = {"csrf": csrf(client, "/login/code"), "code": code}
            statuses.append(client.post("/login/code", data=given).status_code)
    assert statuses == [303, 401, 303]


def test_wrong_codes_lock_as_wrong_passwords_do(strict: Place) -> None:
    strict.account()
    with strict.client() as client:
        secret, _ = _enrol(strict, client)
    _later(strict)
    with strict.client() as client:
        strict.log_in(client)
        token = csrf(client, "/login/code")
        for _ in range(5):
            answer = client.post("/login/code", data={"csrf": token, "code": "000000"})
            assert answer.status_code == 401
        strict.conn.execute("DELETE FROM auth.address")
        right = {"csrf": token, "code": pyotp.TOTP(secret).now()}
        assert client.post("/login/code", data=right).status_code == 401


def test_a_program_sends_the_code_with_the_password(strict: Place) -> None:
    strict.account()
    with strict.client() as client:
        secret, _ = _enrol(strict, client)
    _later(strict)
    body = {"login": "anna", "password": GOOD}
    with strict.client() as client:
        assert client.post("/api/v1/session", json=body).json()["stage"] == "code"
        assert client.get("/api/v1/factories").status_code == 401
        code = {"code": pyotp.TOTP(secret).at(int(time.time()))}
        assert client.post("/api/v1/session", json=body | code).json()["stage"] == "open"
        assert client.get("/api/v1/factories").status_code == 200


def test_an_enterprise_needs_no_device(strict: Place) -> None:
    with_plan(strict.conn)
    strict.account("bert", "ent_filler")
    with strict.client() as client:
        assert strict.log_in(client, "bert").headers["location"] == "/todos"


def test_the_page_says_when_the_second_factor_is_off(place: Place, database_url: str) -> None:
    with place.client() as client:
        assert "未启用两步验证" in client.get("/login").text
    with served(database_url) as address:
        assert "未启用两步验证" not in httpx.get(f"{address}/login", timeout=30).text


def test_new_recovery_codes_end_the_old_ones_and_ask_for_password_and_code(strict: Place) -> None:
    account_id = strict.account()
    with strict.client() as client:
        secret, old = _enrol(strict, client)
        form = {"csrf": csrf(client, "/account/recovery"), "password": GOOD}
        assert "/account/recovery" in client.get("/account").text
        _later(strict)
        for wrong in ({"password": OTHER, "code": pyotp.TOTP(secret).now()}, {"code": "000000"}):
            refused = client.post("/account/recovery", data=form | wrong)
            assert refused.status_code == 401
            assert parse(refused.text).by_id("why").text
        given = form | {"code": pyotp.TOTP(secret).now()}
        shown = client.post("/account/recovery", data=given).raise_for_status()
        assert shown.headers["cache-control"] == "no-store"
        new = [each.text for each in parse(shown.text).one("ul", "codes").all("code")]
    assert len(set(new) - set(old)) == 10
    actor = Actor(account_id, "Sample anna", "city_officer")
    fits = [_spends(strict, actor, codes[0]) for codes in (old, new)]
    assert fits == [False, True]
    noted = audit.entries(strict.conn, account_id=account_id, action="recovery_codes_made")
    assert len(noted) == 2


def _spends(place: Place, actor: Actor, code: str) -> bool:
    key = second_factor.recovery_key(code)
    return accounts.spend_recovery_code(place.conn, actor, actor.account_id or 0, key)


def test_who_has_no_device_makes_no_recovery_codes(place: Place) -> None:
    place.account()
    with place.client() as client:
        place.log_in(client)
        form = {"csrf": csrf(client, "/account/recovery"), "password": GOOD, "code": "000000"}
        assert client.post("/account/recovery", data=form).status_code == 401
        assert "/account/recovery" not in client.get("/account").text
