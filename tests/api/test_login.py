"""Logging in: passwords, codes, locks, and what a session is worth."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import argon2
import httpx
import pyotp
import pytest

import store
from api import passwords, second_factor
from api.access import AccessPolicy
from store import accounts, audit, sessions
from store.accounts import NewAccount
from store.acting import Actor, key_of
from tests.api.conftest import served
from tests.api.html import parse
from tests.api.people import COOKIE
from tests.store.people import MAKER
from tests.store.samples import with_plan

GOOD = "Weaver-77-river"
OTHER = "Miller=88=stream"
PLAIN = AccessPolicy(second_factor=False)


@pytest.fixture(scope="module")
def good_hash() -> str:
    """The hash of the password that the tests' accounts have."""
    return passwords.hashed(GOOD)


@dataclass
class Place:
    """A served database of its own, its address and how accounts are made in it."""

    address: str
    conn: store.Connection
    good_hash: str

    def account(
        self, login: str = "anna", role: str = "city_officer", *, temporary: bool = False
    ) -> int:
        """Make an account whose password is GOOD."""
        region = "320613" if role.startswith("county") else None
        new = NewAccount(login, f"Sample {login}", role, region)
        return accounts.make(self.conn, MAKER, new, self.good_hash, must_change=temporary)

    def client(self) -> httpx.Client:
        """Return a client of its own, which follows no redirect."""
        return httpx.Client(base_url=self.address, timeout=30)

    def log_in(self, client: httpx.Client, login: str = "anna", **more: str) -> httpx.Response:
        """Log in by the page with the password GOOD unless another is given."""
        return client.post("/login", data={"login": login, "password": GOOD} | more)


@pytest.fixture
def place(database_url: str, good_hash: str) -> Iterator[Place]:
    """A database without a second factor, as a sample city is shown."""
    with (
        served(database_url, access=PLAIN) as address,
        closing(store.connect(database_url)) as conn,
    ):
        yield Place(address, conn, good_hash)


@pytest.fixture
def strict(database_url: str, good_hash: str) -> Iterator[Place]:
    """A database as it is served by default."""
    with served(database_url) as address, closing(store.connect(database_url)) as conn:
        yield Place(address, conn, good_hash)


def csrf(client: httpx.Client, path: str) -> str:
    """Return the token that the form of a page carries."""
    page = parse(client.get(path).raise_for_status().text)
    fields = [one for one in page.all("input") if one.attributes.get("name") == "csrf"]
    return fields[0].attributes["value"]


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


def test_a_password_is_kept_as_argon2id_at_the_cost_that_rfc_9106_recommends() -> None:
    found = argon2.extract_parameters(argon2.PasswordHasher().hash(GOOD))
    assert found == argon2.profiles.RFC_9106_LOW_MEMORY
    assert (found.type, found.memory_cost, found.time_cost) == (argon2.Type.ID, 65536, 3)


def test_an_unknown_login_takes_a_hash_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = passwords._HASHER

    class Counting:
        def verify(self, password_hash: str, password: str) -> bool:
            asked.append(password_hash)
            return real.verify(password_hash, password)

        def hash(self, password: str) -> str:
            return real.hash(password)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    assert not passwords.fits(None, GOOD)
    assert len(asked) == 1
    assert asked[0].startswith("$argon2id$")


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


def test_logging_out_ends_the_session(place: Place) -> None:
    place.account()
    with place.client() as client:
        place.log_in(client)
        secret = client.cookies[COOKIE]
        out = client.post("/logout", data={"csrf": csrf(client, "/")})
        assert (out.status_code, out.headers["location"]) == (303, "/login")
        assert COOKIE not in client.cookies
        answer = client.get("/", headers={"Cookie": f"{COOKIE}={secret}"})
        assert answer.status_code == 303
    assert audit.entries(place.conn)[0].action == "logged_out"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_cannot_make_a_browser_do_anything(
    place: Place, headers: dict[str, str]
) -> None:
    place.account()
    with place.client() as client:
        refused = client.post("/login", data={"login": "anna", "password": GOOD}, headers=headers)
        assert refused.status_code == 403
        place.log_in(client)
        token = csrf(client, "/")
        assert client.post("/logout", data={"csrf": token}, headers=headers).status_code == 403
        assert client.get("/").status_code == 200


@pytest.mark.parametrize("given", [{}, {"csrf": ""}, {"csrf": "0" * 64}])
def test_a_form_without_its_token_is_refused(place: Place, given: dict[str, str]) -> None:
    place.account()
    with place.client() as client:
        place.log_in(client)
        assert client.post("/logout", data=given).status_code == 403
        assert client.delete("/api/v1/session").status_code == 403
        assert client.get("/").status_code == 200


def test_the_token_of_another_session_is_refused(place: Place) -> None:
    place.account()
    place.account("bert", "ent_filler")
    with place.client() as client, place.client() as other:
        place.log_in(client)
        place.log_in(other, "bert")
        answer = client.post("/logout", data={"csrf": csrf(other, "/")})
        assert answer.status_code == 403


def test_a_program_logs_in_and_out(place: Place) -> None:
    place.account()
    with place.client() as client:
        body = {"login": "anna", "password": GOOD}
        opened = client.post("/api/v1/session", json=body).raise_for_status().json()
        assert opened["stage"] == "open"
        who = client.get("/api/v1/session").raise_for_status().json()
        assert (who["login"], who["role"], who["csrf"]) == (
            "anna", "city_officer", opened["csrf"],
        )  # fmt: skip
        assert "figures:read" in who["permissions"]
        headers = {"X-CSRF-Token": opened["csrf"]}
        assert client.delete("/api/v1/session", headers=headers).status_code == 204
        assert client.get("/api/v1/session").status_code == 401
        wrong = client.post("/api/v1/session", json=body | {"password": "Wrong-99-word"})
        assert wrong.status_code == 401


def test_one_session_for_each_officer(place: Place) -> None:
    place.account()
    place.account("bert", "ent_filler")
    with place.client() as first, place.client() as second:
        place.log_in(first)
        place.log_in(second)
        assert (first.get("/").status_code, second.get("/").status_code) == (303, 200)
        place.log_in(first, "bert")
        place.log_in(second, "bert")
        assert (first.get("/").status_code, second.get("/").status_code) == (200, 200)


def test_each_log_in_has_a_session_of_its_own(place: Place) -> None:
    place.account()
    chosen = "chosen-by-somebody-else"
    with place.client() as client:
        given = {"login": "anna", "password": GOOD}
        answer = client.post("/login", data=given, headers={"Cookie": f"{COOKIE}={chosen}"})
        assert chosen not in answer.headers["set-cookie"]
    assert sessions.find_session(place.conn, key_of(chosen)) is None


def test_an_idle_session_ends(place: Place) -> None:
    place.account()
    with place.client() as client:
        place.log_in(client)
        for spare_s, status in ((60, 200), (-1, 303)):
            place.conn.execute(
                "UPDATE auth.session SET seen_at = clock_timestamp() - make_interval(secs => %s)",
                (PLAIN.idle_s - spare_s,),
            )
            assert client.get("/").status_code == status


def test_a_temporary_password_opens_nothing_but_its_change(place: Place) -> None:
    place.account(temporary=True)
    with place.client() as client:
        assert place.log_in(client).headers["location"] == "/login/password"
        assert client.get("/").headers["location"] == "/login/password"
        assert client.get("/api/v1/factories").status_code == 401
        token = csrf(client, "/login/password")
        given = {"csrf": token, "old": GOOD, "new": OTHER, "again": OTHER}
        assert client.post("/login/password", data=given).headers["location"] == "/todos"
        assert client.get("/").status_code == 200
        # The form of before is worth nothing, since there is another session now.
        assert client.get("/login/password").headers["location"] == "/account"
    with place.client() as client:
        assert place.log_in(client).status_code == 401
        assert place.log_in(client, password=OTHER).headers["location"] == "/todos"


def test_an_old_password_of_an_officer_is_to_be_changed(place: Place) -> None:
    place.account()
    place.account("bert", "ent_filler")
    place.conn.execute("UPDATE auth.account SET password_at = password_at - INTERVAL '91 days'")
    with place.client() as client:
        assert place.log_in(client).headers["location"] == "/login/password"
        assert place.log_in(client, "bert").headers["location"] == "/todos"


@pytest.mark.parametrize(
    ("new", "again", "words"),
    [
        ("Short-1a", "Short-1a", "密码长度不符合要求。"),
        ("onlysmallletters", "onlysmallletters", "密码的字符种类太少。"),
        ("xx-Anna-2026-xx", "xx-Anna-2026-xx", "密码含有账号名或企业名。"),
        ("Password-77-x", "Password-77-x", "密码含有常见的词或数字串。"),
        (OTHER, OTHER + "x", "两次输入的新密码不一致。"),
        (GOOD, GOOD, "这个密码最近用过。"),
    ],
)
def test_a_weak_password_is_refused_in_words(
    place: Place, new: str, again: str, words: str
) -> None:
    place.account()
    with place.client() as client:
        place.log_in(client)
        given = {"csrf": csrf(client, "/account/password"), "old": GOOD, "new": new}
        answer = client.post("/account/password", data=given | {"again": again})
        assert answer.status_code == 422
        assert parse(answer.text).one("div", "fault").text == words


def test_the_last_five_passwords_do_not_come_back(place: Place) -> None:
    number = place.account()
    actor = Actor(number, "Sample anna", "city_officer")
    for count in range(4):
        accounts.set_password(place.conn, actor, number, f"not a hash {count}", must_change=False)
    accounts.set_password(place.conn, actor, number, passwords.hashed(OTHER), must_change=False)
    with place.client() as client:
        place.log_in(client, password=OTHER)
        given = {"csrf": csrf(client, "/account/password"), "old": OTHER}
        again = client.post("/account/password", data=given | {"new": GOOD, "again": GOOD})
        assert again.headers["location"] == "/todos", "the sixth of before may be used again"


def test_the_name_of_the_company_is_no_password(place: Place) -> None:
    faults = passwords.faults("示例企业 one-A1", PLAIN, login="x", companies=["示例企业 one"])
    assert faults == ["names"]
    assert passwords.faults("a" * 129 + "A1", PLAIN, login="x") == ["length"]
    assert passwords.faults(passwords.temporary(), PLAIN, login="nobody") == []


def test_a_changed_password_ends_the_other_sessions(place: Place) -> None:
    place.account("bert", "ent_filler")
    with place.client() as first, place.client() as second:
        place.log_in(first, "bert")
        place.log_in(second, "bert")
        given = {"csrf": csrf(first, "/account/password"), "old": GOOD, "new": OTHER}
        assert first.post("/account/password", data=given | {"again": OTHER}).status_code == 303
        assert (first.get("/").status_code, second.get("/").status_code) == (200, 303)


def test_an_open_session_does_not_try_old_passwords_for_ever(place: Place) -> None:
    place.account("bert", "ent_filler")
    with place.client() as client:
        place.log_in(client, "bert")
        given = {"csrf": csrf(client, "/account/password"), "new": OTHER, "again": OTHER}
        for old in (*["wrong"] * 5, GOOD):
            answer = client.post("/account/password", data=given | {"old": old})
            assert answer.status_code == 401, "the sixth is right and too late"
        place.conn.execute("UPDATE auth.account SET locked_until = clock_timestamp()")
        assert client.post("/account/password", data=given | {"old": GOOD}).status_code == 303


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


def test_a_token_permits_a_part_of_what_its_account_may(place: Place) -> None:
    number = place.account()
    made = sessions.make_token(
        place.conn, MAKER, number, "sample", ["follow-up:read"], "token", days=1
    )
    headers = {"Authorization": "Bearer token"}
    with place.client() as client:
        assert client.get("/api/v1/follow-up", headers=headers).status_code == 200
        assert client.get("/api/v1/factories", headers=headers).status_code == 403
        who = client.get("/api/v1/session", headers=headers)
        assert who.status_code == 403
        sessions.end_token(place.conn, MAKER, made)
        assert client.get("/api/v1/follow-up", headers=headers).status_code == 401
        wrong = {"Authorization": "Bearer other"}
        assert client.get("/api/v1/follow-up", headers=wrong).status_code == 401


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
