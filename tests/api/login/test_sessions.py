"""What a session or token is worth, and how it ends."""

import pytest

from store import audit, sessions
from store.acting import key_of
from tests.api.login.place import GOOD, PLAIN, Place, csrf
from tests.api.people import COOKIE
from tests.store.people import MAKER


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
