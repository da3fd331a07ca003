"""Passwords: how they are kept, changed and refused."""

import argon2
import pytest

from api import passwords
from store import accounts
from store.acting import Actor
from tests.api.html import parse
from tests.api.login.place import GOOD, OTHER, PLAIN, Place, csrf


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
