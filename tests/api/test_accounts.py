"""What the security administrator does with accounts, by the interface and by the pages."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest

import store
from api.access import AccessPolicy
from api.permissions import FOR_PEOPLE
from store import accounts, audit, sessions
from store.acting import Actor
from tests.api.conftest import served
from tests.api.html import parse, rows
from tests.api.people import client_of, session_of
from tests.store.people import person
from tests.store.samples import with_plan

PLAIN = AccessPolicy(second_factor=False)


@dataclass
class Place:
    """A served database with a factory, and a security administrator who is logged in."""

    address: str
    client: httpx.Client
    conn: store.Connection
    actor: Actor

    def post(self, path: str, **body: object) -> httpx.Response:
        return self.client.post(f"/api/v1{path}", json=body)

    def made(self, login: str = "anna", **more: object) -> dict[str, object]:
        body = {"login": login, "name": f"Sample {login}", "role": "city_officer"} | more
        answer = self.post("/accounts", **body)
        assert answer.status_code == 201, answer.text
        found: dict[str, object] = answer.json()
        return found

    def logs_in(self, login: object, password: object) -> str:
        answer = httpx.post(
            f"{self.address}/login", data={"login": login, "password": password}, timeout=30
        )
        return str(answer.headers.get("location", "refused"))


@pytest.fixture
def place(database_url: str) -> Iterator[Place]:
    with closing(store.connect(database_url)) as conn:
        with_plan(conn)
        actor = person(conn, "secadmin")
        secret = session_of(conn, actor)
        with (
            served(database_url, access=PLAIN) as address,
            client_of(address, secret) as client,
        ):
            client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf"]
            yield Place(address, client, conn, actor)


def test_a_made_account_logs_in_and_changes_its_password(place: Place) -> None:
    made = place.made()
    assert place.logs_in(made["login"], made["password"]) == "/login/password"
    (entry,) = audit.entries(place.conn, action="account_made", account_id=place.actor.account_id)
    assert entry.after["role"] == "city_officer"
    assert str(made["password"]) not in str(entry)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"role": "county_officer"}, "county"),
        ({"role": "county_officer", "region": "999"}, "county"),
        ({"role": "city_officer", "region": "320613"}, "Only a county role"),
        ({"role": "ent_filler"}, "needs its factory"),
        ({"role": "ent_filler", "factories": ["nobody"]}, "nobody"),
        ({"role": "auditor", "factories": ["sample"]}, "enterprises and experts"),
        ({"role": "system"}, "system itself"),
        ({"role": "emperor"}, "role"),
        ({"login": "two words"}, "login"),
        ({"provider_subject": "42"}, "provider"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(
    place: Place, body: dict[str, object], words: str
) -> None:
    answer = place.post("/accounts", **({"login": "anna", "name": "A", "role": "expert"} | body))
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert audit.entries(place.conn, action="account_made", account_id=place.actor.account_id) == []


def test_a_login_that_is_taken_is_refused(place: Place) -> None:
    place.made()
    answer = place.post("/accounts", login="ANNA", name="B", role="city_officer")
    assert (answer.status_code, "already" in answer.json()["detail"]) == (422, True)


def test_the_three_administrators_are_three_people_by_whatever_way(place: Place) -> None:
    first = place.made("sys1", name="示例甲", role="sysadmin")
    given = {"login": "aud1", "name": "示例甲 ", "role": "auditor"}
    refused = place.post("/accounts", **given)
    assert (refused.status_code, "three people" in refused.json()["detail"]) == (422, True)
    csrf = place.client.headers["X-CSRF-Token"]
    page = place.client.post("/accounts", data={"csrf": csrf} | given)
    assert (page.status_code, "须由三人分别担任" in page.text) == (422, True)
    path = f"/api/v1/accounts/{first['account_id']}"
    tag = place.client.get(path).headers["etag"]
    assert place.client.put(f"{path}/disabled", headers={"If-Match": tag}).status_code == 204
    assert place.post("/accounts", **given).status_code == 201
    tag = place.client.get(path).headers["etag"]
    opened = place.client.delete(f"{path}/disabled", headers={"If-Match": tag})
    assert (opened.status_code, "three people" in opened.json()["detail"]) == (422, True)
    assert place.post("/accounts", login="sys2", name="示例乙", role="sysadmin").status_code == 201


def test_a_shut_account_stays_out_until_it_is_opened(place: Place) -> None:
    made = place.made()
    path = f"/api/v1/accounts/{made['account_id']}"
    tag = place.client.get(path).headers["etag"]
    assert place.client.put(f"{path}/disabled", headers={"If-Match": tag}).status_code == 204
    assert place.logs_in(made["login"], made["password"]) == "refused"
    stale = place.client.delete(f"{path}/disabled", headers={"If-Match": tag})
    assert stale.status_code == 412
    assert place.client.delete(f"{path}/disabled").status_code == 428
    tag = place.client.get(path).headers["etag"]
    assert place.client.delete(f"{path}/disabled", headers={"If-Match": tag}).status_code == 204
    assert place.logs_in(made["login"], made["password"]) == "/login/password"


def test_a_reset_password_is_a_temporary_one(place: Place) -> None:
    made = place.made()
    answer = place.post(f"/accounts/{made['account_id']}/password")
    password = answer.json()["password"]
    assert password != made["password"]
    assert place.logs_in(made["login"], made["password"]) == "refused"
    assert place.logs_in(made["login"], password) == "/login/password"


def test_a_factory_is_assigned_and_taken(place: Place) -> None:
    made = place.made(role="expert")
    path = f"/api/v1/accounts/{made['account_id']}"
    assert place.client.put(f"{path}/factories/sample").status_code == 204
    assert place.client.put(f"{path}/factories/sample").status_code == 204
    assert place.client.get(path).json()["factories"] == ["sample"]
    assert place.client.delete(f"{path}/factories/sample").status_code == 204
    assert place.client.get(path).json()["factories"] == []
    assert place.client.put(f"{path}/factories/nobody").status_code == 422


def test_nobody_changes_their_own_account(place: Place) -> None:
    path = f"/accounts/{place.actor.account_id}"
    tag = place.client.get(f"/api/v1{path}").headers["etag"]
    answers = [
        place.post(f"{path}/password"),
        place.client.put(f"/api/v1{path}/disabled", headers={"If-Match": tag}),
        place.client.delete(f"/api/v1{path}/device"),
        place.client.put(f"/api/v1{path}/factories/sample"),
        place.post(f"{path}/tokens", name="x", permissions=["account:use"], days=1),
    ]
    assert [answer.status_code for answer in answers] == [422] * 5
    assert {"Another security administrator" in each.json()["detail"] for each in answers} == {True}


def test_a_token_permits_no_more_than_its_account(place: Place) -> None:
    made = place.made()
    path = f"/accounts/{made['account_id']}/tokens"
    beyond = place.post(path, name="x", permissions=["accounts:manage"], days=1)
    assert beyond.status_code == 422
    token = place.post(path, name="数据中台", permissions=["follow-up:read"], days=30).json()
    headers = {"Authorization": f"Bearer {token['token']}"}
    assert (
        httpx.get(f"{place.address}/api/v1/follow-up", headers=headers, timeout=30).status_code
        == 200
    )
    (listed,) = place.client.get("/api/v1/tokens").json()["items"]
    assert (listed["name"], listed["permissions"]) == ("数据中台", ["follow-up:read"])
    assert "token" not in listed
    ended = place.client.delete(f"/api/v1/tokens/{token['token_id']}")
    assert ended.status_code == 204
    assert (
        httpx.get(f"{place.address}/api/v1/follow-up", headers=headers, timeout=30).status_code
        == 401
    )
    assert place.client.delete(f"/api/v1/tokens/{token['token_id']}").status_code == 404


def test_no_token_decides_in_a_persons_name(place: Place) -> None:
    made = place.made(role="city_leader")
    path = f"/accounts/{made['account_id']}/tokens"
    for permission in sorted(FOR_PEOPLE):
        refused = place.post(path, name="x", permissions=["pool:read", permission], days=1)
        assert refused.status_code == 422, permission
    # One that was made some other way does not either.
    number = int(str(made["account_id"]))
    sessions.make_token(
        place.conn, place.actor, number, "x", ["pool:read", "policy:set"], "a secret", days=1
    )
    with httpx.Client(
        base_url=place.address, timeout=30, headers={"Authorization": "Bearer a secret"}
    ) as system:
        assert system.get("/api/v1/policy").status_code == 200
        given = {
            "key": "watch.clear_within", "value": 45, "valid_from": "2999-01-01", "source": "x",
        }  # fmt: skip
        proposed = system.post(
            "/api/v1/policy/proposals", json=given, headers={"Idempotency-Key": "k"}
        )
        assert proposed.status_code == 403


def test_accounts_and_tokens_come_in_pages(place: Place) -> None:
    for login in ("anna", "bert", "carl"):
        place.made(login)
    found, after = [], ""
    for _ in range(9):
        part = place.client.get("/api/v1/accounts", params={"limit": 2, "after": after}).json()
        assert len(part["items"]) <= 2
        found += [each["login"] for each in part["items"]]
        if part["next_after"] is None:
            break
        after = part["next_after"]
    assert found == [each.login for each in accounts.accounts(place.conn)]
    assert {"anna", "bert", "carl"} < set(found)
    number = accounts.secrets_of(place.conn, login="anna")
    assert number is not None
    path = f"/accounts/{number.account_id}/tokens"
    for name in ("一", "二", "三"):
        place.post(path, name=name, permissions=["follow-up:read"], days=30)
    first = place.client.get("/api/v1/tokens", params={"limit": 2}).json()
    older = place.client.get("/api/v1/tokens", params={"before": first["next_before"]}).json()
    assert [each["name"] for each in first["items"] + older["items"]] == ["三", "二", "一"]
    assert older["next_before"] is None


def test_an_account_that_is_not_there(place: Place) -> None:
    assert place.client.get("/api/v1/accounts/999").status_code == 404
    assert place.post("/accounts/999/password").status_code == 404


def test_the_pages_make_and_shut_an_account(place: Place) -> None:
    page = parse(place.client.get("/accounts").text)
    token = next(
        one.attributes["value"] for one in page.all("input") if one.attributes["name"] == "csrf"
    )
    given = {
        "csrf": token, "login": "county1", "name": "示例", "role": "county_officer",
        "region": "", "factories": "", "email": "",
    }  # fmt: skip
    refused = place.client.post("/accounts", data=given)
    assert refused.status_code == 422
    assert "县级角色须选" in parse(refused.text).one("p", "fault").text
    shown = parse(place.client.post("/accounts", data=given | {"region": "320613"}).text)
    login, password = [each.text for each in shown.one("dl").all("code")]
    assert place.logs_in(login, password) == "/login/password"
    listed = rows(parse(place.client.get("/accounts").text).one("table"))
    assert [cell.text for cell in next(row for row in listed if row[0].text == "county1")] == [
        "county1", "示例", "县级经办", "崇川区", "待改初始密码",
    ]  # fmt: skip
    href = shown.one("a", "button").attributes["href"]
    one = parse(place.client.get(href).text)
    version = next(
        each.attributes["value"]
        for each in one.all("input")
        if each.attributes["name"] == "version"
    )
    form = {"csrf": token, "version": version, "disabled": "true"}
    assert place.client.post(f"{href}/disabled", data=form).status_code == 303
    assert place.logs_in(login, password) == "refused"
    assert place.client.post(f"{href}/disabled", data=form).status_code == 412
    reset = parse(place.client.post(f"{href}/password", data={"csrf": token}).text)
    assert reset.one("dl").all("code")[1].text != password
    assert place.client.post(f"{href}/device", data={"csrf": token}).status_code == 303


def test_the_audit_shows_what_changed_before_and_after(place: Place) -> None:
    place.made(role="expert", factories=["sample"])
    auditor = session_of(place.conn, person(place.conn, "auditor"))
    with client_of(place.address, auditor) as client:
        body = client.get("/api/v1/audit?action=account_made&limit=1").json()
        assert body["next_before"] is not None
        older = client.get(f"/api/v1/audit?limit=1&before={body['next_before']}").json()
        assert older["items"][0]["entry_id"] == body["next_before"] - 1
        page = parse(client.get("/audit?action=account_made").text)
    made = [[each.text for each in row[4].all("ins")] for row in rows(page.one("table"))]
    assert any({"评审专家", "sample"} <= set(words) for words in made)
