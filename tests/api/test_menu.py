"""The menu: for each role what it works with, and the page that is open marked once."""

import pytest

from api.identity import Caller
from api.messages import Texts
from api.pages.menu import menu
from api.permissions import ROLE_PERMISSIONS, Role
from store.acting import Actor
from store.sessions import Stage

T = Texts("en")


def person(role: Role, stage: Stage = "open") -> Caller:
    actor = Actor(1, "Sample", role)
    return Caller(actor, "sample", role, None, ROLE_PERMISSIONS[role], "key", stage, "csrf")


@pytest.mark.parametrize(
    ("role", "places"),
    [
        ("city_officer", ["/todos", "/", "/warnings", "/reports", "/disputes", "/settings"]),
        ("ent_filler", ["/todos", "/", "/warnings", "/reports", "/disputes", "/settings"]),
        ("secadmin", ["/accounts", "/settings"]),
        ("sysadmin", ["/system", "/outbox", "/settings"]),
        ("auditor", ["/audit", "/settings"]),
    ],
)
def test_each_role_finds_its_own_work(role: str, places: list[str]) -> None:
    assert [each.href for each in menu(T, person(Role(role)), "/account")] == places


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/", ["/"]),
        ("/factories/SAMPLE-1/warnings", ["/"]),
        ("/warnings", ["/warnings"]),
        ("/policy/watch.clear_within", ["/settings"]),
        ("/audit", ["/settings"]),
        ("/tickets/7", ["/todos"]),
        ("/account", []),
    ],
)
def test_the_open_page_is_marked_once(path: str, marked: list[str]) -> None:
    found = menu(T, person(Role.CITY_OFFICER), path)
    assert [each.href for each in found if each.current] == marked


def test_an_auditors_record_is_marked_in_its_own_place() -> None:
    found = menu(T, person(Role.AUDITOR), "/audit")
    assert [each.href for each in found if each.current] == ["/audit"]


def test_who_has_not_finished_logging_in_has_no_menu() -> None:
    assert menu(T, None, "/") == ()
    assert menu(T, person(Role.CITY_OFFICER, "code"), "/") == ()


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (Role.CITY_LEADER, "Overview"),
        (Role.COUNTY_OFFICER, "Factories"),
        (Role.ENT_FILLER, "Factories"),
    ],
)
def test_only_who_sees_the_whole_city_has_an_overview_of_it(role: Role, said: str) -> None:
    (way,) = [each for each in menu(T, person(role), "/") if each.href == "/"]
    assert way.text == said
