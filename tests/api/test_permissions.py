"""Every route names the one permission it needs, and every role gets just what the table says."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

import api.app
import store
from api.gateways import _authenticated
from api.identity import Needs, csrf_of
from api.permissions import PUBLIC, ROLE_PERMISSIONS, Permission, Role
from api.refusals import INGEST_PATH
from store import audit
from tests.api.people import COOKIE, secret_of, session_of
from tests.store.people import person

# What a gateway asks before it has a token.
_GATEWAYS_MAY_ASK = {("POST", "/api/v1/ingest/enrolments"), ("GET", "/api/v1/ingest/time")}
_FACTORY = "SAMPLE-1"
_VALUES = {
    "code": _FACTORY,
    "factory": _FACTORY,
    "kpi": "oee",
    "period_kind": "rolling12",
    "period_start": "2025-01-01",
    "kind": "order_line",
}
_REGION = "320613"
_ACCOUNTS = [role for role in Role if role is not Role.SYSTEM]


def application() -> FastAPI:
    return api.app.create_app("postgresql://127.0.0.1:1/none")


@dataclass(frozen=True)
class Route:
    """A handler under one method: its path, and all that it depends on, however deep."""

    method: str
    path: str
    calls: list[Any]

    @property
    def needs(self) -> list[Needs]:
        return [call for call in self.calls if isinstance(call, Needs)]


def routes() -> list[Route]:
    """Return every handler that the application serves."""
    return [
        Route(method, str(each.path), list(calls(each.dependant)))
        for each in iter_route_contexts(application().routes)
        if isinstance(each.original_route, APIRoute)
        for method in sorted((each.methods or set()) - {"HEAD"})
    ]


def calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from calls(each)


def test_every_route_names_one_permission_or_is_known_to_be_public() -> None:
    found, public = {}, set()
    for route in routes():
        place = (route.method, route.path)
        found[place] = len(route.needs)
        if route.path.startswith(INGEST_PATH):
            is_gateways = _authenticated in route.calls
            assert is_gateways != (place in _GATEWAYS_MAY_ASK), place
            assert found[place] == 0, place
        elif found[place] == 0:
            public.add(place)
    assert len(found) > 30
    assert set(found.values()) <= {0, 1}
    assert public == PUBLIC - {("GET", "/api/v1/openapi.json")}


def test_nothing_else_is_served_than_handlers_files_and_the_description() -> None:
    others = [
        each.path
        for each in iter_route_contexts(application().routes)
        if not isinstance(each.original_route, APIRoute)
    ]
    assert sorted(map(str, others)) == ["/api/v1/openapi.json", "/static"]


def test_who_sees_all_is_asked_for_only_where_nobody_is_logged_in_or_accounts_are_kept() -> None:
    root = Path(str(files("api")))
    sources = [*root.glob("routes/*.py"), *root.glob("pages/*.py")]
    unscoped = {
        str(path.relative_to(root))
        for path in sources
        if ".connection()" in path.read_text(encoding="utf-8")
    }
    assert unscoped == {
        "routes/ingest.py",
        "routes/health.py",
        "routes/accounts.py",
        "pages/accounts.py",
        "pages/provider.py",
    }


def test_every_role_has_its_permissions_and_every_permission_a_role() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert ROLE_PERMISSIONS[Role.SYSTEM] == frozenset()
    assert set().union(*ROLE_PERMISSIONS.values()) == set(Permission)


def test_the_three_administrators_share_no_right_but_their_own_account() -> None:
    shared = ROLE_PERMISSIONS[Role.SYSADMIN] & ROLE_PERMISSIONS[Role.SECADMIN]
    assert shared == {Permission.USE_OWN_ACCOUNT}
    assert ROLE_PERMISSIONS[Role.AUDITOR] & ROLE_PERMISSIONS[Role.SECADMIN] == shared
    for role in (Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR):
        assert Permission.READ_FIGURES not in ROLE_PERMISSIONS[role]
    granting = {role for role in Role if Permission.MANAGE_ACCOUNTS in ROLE_PERMISSIONS[role]}
    assert granting == {Role.SECADMIN}


def _path(route: Route) -> str:
    return route.path.format_map(_Values(_VALUES))


class _Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "999999"


@pytest.fixture(scope="module")
def role_conn(sample_url: str) -> Iterator[store.Connection]:
    """A connection that makes the sessions of all roles."""
    with closing(store.connect(sample_url)) as conn:
        yield conn


def _scope(role: Role) -> dict[str, Any]:
    if role in (Role.COUNTY_OFFICER, Role.COUNTY_LEADER):
        return {"region": _REGION}
    enterprise = (Role.ENT_FILLER, Role.ENT_APPROVER, Role.ENT_ENGINEER)
    return {"factories": (_FACTORY,)} if role in (*enterprise, Role.EXPERT, Role.VERIFIER) else {}


@pytest.mark.parametrize("role", _ACCOUNTS)
def test_a_role_gets_what_the_table_says_on_every_route(
    role: Role, address: str, role_conn: store.Connection
) -> None:
    actor = person(role_conn, role, **_scope(role))
    wrong = {}
    with httpx.Client(base_url=address, timeout=60) as client:
        for route in routes():
            if not route.needs:
                continue
            # Each with a session of its own, since one of the routes ends it.
            secret = session_of(role_conn, actor)
            answer = client.request(
                route.method, _path(route),
                headers={"Cookie": f"{COOKIE}={secret}", "X-CSRF-Token": csrf_of(secret)},
            )  # fmt: skip
            (need,) = route.needs
            if need.stage != "open":
                expected = answer.status_code == 303
            elif need.permission in ROLE_PERMISSIONS[role]:
                expected = answer.status_code not in (401, 403, 500)
            else:
                expected = answer.status_code == 403
            if not expected:
                wrong[route.method, route.path] = answer.status_code
    assert wrong == {}


def test_a_stranger_gets_nothing_but_what_is_public(stranger: httpx.Client) -> None:
    wrong = {}
    for route in routes():
        if route.path.startswith(INGEST_PATH):
            continue
        answer = stranger.request(route.method, _path(route))
        is_public = (route.method, route.path) in PUBLIC
        refused = answer.status_code == 401 or (
            answer.status_code == 303 and answer.headers["location"].startswith("/login")
        )
        if refused == is_public:
            wrong[route.method, route.path] = answer.status_code
    assert wrong == {}


def test_another_countys_factory_is_not_there_and_the_attempt_is_noted(
    address: str, role_conn: store.Connection
) -> None:
    actor = person(role_conn, "county_officer", region="320623")
    secret = session_of(role_conn, actor)
    asked = []
    with httpx.Client(base_url=address, timeout=60, cookies={COOKIE: secret}) as client:
        for route in routes():
            if route.method == "GET" and "{code}" in route.path:
                query = "?start=2026-01-01T00:00Z&end=2026-01-02T00:00Z"
                answer = client.get(_path(route) + query)
                assert answer.status_code == 404, route.path
                asked.append(_path(route))
        listed = client.get("/api/v1/factories").json()["items"]
    assert len(asked) >= 8
    assert _FACTORY not in {each["code"] for each in listed}
    noted = audit.entries(role_conn, account_id=actor.account_id, action="out_of_scope", most=100)
    assert [each.after["path"] for each in noted] == asked[::-1]
    assert {each.key for each in noted} == {_FACTORY}


def test_a_factory_that_nobody_has_is_not_noted(
    client: httpx.Client, role_conn: store.Connection
) -> None:
    before = len(audit.entries(role_conn, action="out_of_scope", most=1000))
    assert client.get("/api/v1/factories/NOBODY").status_code == 404
    assert client.get("/api/v1/follow-up?factory=NOBODY").status_code == 404
    assert len(audit.entries(role_conn, action="out_of_scope", most=1000)) == before


def test_an_enterprise_sees_its_own_factory_alone(address: str, sample_url: str) -> None:
    secret = secret_of(sample_url, "ent_filler", factories=("SAMPLE-9",))
    with httpx.Client(base_url=address, timeout=60, cookies={COOKIE: secret}) as client:
        listed = client.get("/api/v1/factories").json()["items"]
        assert [each["code"] for each in listed] == ["SAMPLE-9"]
        page = client.get("/").text
    assert "/factories/SAMPLE-9" in page
    assert "/factories/SAMPLE-1" not in page


def test_a_token_in_an_address_is_no_session(address: str, officer: str) -> None:
    answer = httpx.get(f"{address}/api/v1/factories?{COOKIE}={officer}&token={officer}", timeout=30)
    assert answer.status_code == 401
    nonsense = httpx.get(
        f"{address}/api/v1/factories",
        headers={"Cookie": f"{COOKIE}={secrets.token_hex()}"},
        timeout=30,
    )
    assert nonsense.status_code == 401
