"""What surrounds a list: filters that pages keep, and steps that lead on."""

from contextlib import closing

import pytest

import store
from api.messages import Texts
from api.pages import factory_choice
from api.pages.factory_choice import factory_field
from api.pages.lists import Listing, href, kept, listing, numbered, select, words
from api.pages.templates import environment
from tests.api.html import Element, parse
from tests.api.people import client_of, secret_of

T = Texts("en")
FIELDS = (
    select(T, "state", "State", "open", (("open", "Open"), ("ended", "Ended"))),
    words("factory", "Factory", "A&B"),
    kept("key", "7"),
)


_BOTH = '{% import "_macros.html" as ui %}{{ ui.filters(listing) }}{{ ui.pager(listing) }}'


def printed(found: Listing) -> Element:
    return parse(environment().from_string(_BOTH).render(listing=found))


def test_whoever_turns_a_page_keeps_the_filters() -> None:
    on = printed(listing(T, "/things", FIELDS, before=31)).all("a")
    assert [one.attributes["href"] for one in on] == [
        "/things?state=open&factory=A%26B&key=7&before=31"
    ]
    assert [one.attributes["rel"] for one in on] == ["next"]


def test_where_nothing_follows_there_is_no_step() -> None:
    assert not printed(listing(T, "/things", FIELDS, before=None)).all("nav")


def test_the_form_shows_what_is_chosen_and_keeps_what_it_does_not_show() -> None:
    form = printed(listing(T, "/things", FIELDS)).one("form")
    assert form.attributes == {"class": "filters", "method": "get", "action": "/things"}
    options = form.all("option")
    assert [one.attributes["value"] for one in options] == ["", "open", "ended"]
    assert [one.text for one in options if "selected" in one.attributes] == ["Open"]
    labelled = {one.attributes["for"] for one in form.all("label")}
    assert labelled == {"by-state", "by-factory"}
    kept_value = next(one for one in form.all("input") if one.attributes.get("type") == "hidden")
    assert (kept_value.attributes["name"], kept_value.attributes["value"]) == ("key", "7")


def test_numbered_pages_lead_both_ways_and_say_where_one_is() -> None:
    middle = printed(numbered(T, "/", 2, 3, (kept("region", "320613"),))).one("nav")
    assert [one.attributes["href"] for one in middle.all("a")] == [
        "/?region=320613",
        "/?region=320613&page=3",
    ]
    assert middle.one("span").text == "Page 2 of 3"
    first, last = numbered(T, "/", 1, 2), numbered(T, "/", 2, 2)
    assert ([one.rel for one in first.steps], [one.rel for one in last.steps]) == (
        ["next"],
        ["prev"],
    )
    assert not numbered(T, "/", 1, 1).steps


def test_a_list_says_whether_it_is_filtered() -> None:
    assert listing(T, "/things", FIELDS).is_filtered
    assert not listing(T, "/things", FIELDS[2:]).is_filtered
    assert href("/things") == "/things"


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("city_officer", "/tickets?state=open&factory="),
        ("city_officer", "/warnings?state=&rule=&region=&factory="),
        ("city_officer", "/reports?state=&factory="),
        ("city_officer", "/disputes?state=&factory="),
        ("city_officer", "/audit?factory=&action="),
        ("secadmin", "/accounts?role=&name="),
    ],
)
def test_filters_that_are_left_open_are_taken_as_such(
    address: str, sample_url: str, role: str, path: str
) -> None:
    with client_of(address, secret_of(sample_url, role)) as client:
        shown = parse(client.get(path).raise_for_status().text)
    assert shown.one("form", "filters").attributes["action"] == path.partition("?")[0]


def test_accounts_are_found_by_role_and_name(address: str, sample_url: str) -> None:
    with client_of(address, secret_of(sample_url, "secadmin")) as client:
        found = parse(client.get("/accounts?role=secadmin").text).one("tbody").all("tr")
        none = parse(client.get("/accounts?name=nobody-like-this").text).one("tbody").all("tr")
    assert found
    assert {row.all("td")[1].text for row in found} == {"安全管理员"}
    assert none == []


LISTS = ("/tickets", "/warnings", "/reports", "/disputes", "/audit")


@pytest.mark.parametrize("path", LISTS)
def test_a_factory_is_chosen_by_name_among_those_that_the_reader_sees(
    address: str, sample_url: str, path: str
) -> None:
    offered = {}
    for role, own in (("city_officer", ()), ("ent_filler", ("SAMPLE-1",))):
        with client_of(address, secret_of(sample_url, role, factories=own)) as client:
            form = parse(client.get(f"{path}?factory=SAMPLE-1").text).one("form", "filters")
        chosen = next(one for one in form.all("select") if one.attributes["name"] == "factory")
        options = {one.attributes["value"]: one for one in chosen.all("option")}
        assert "selected" in options["SAMPLE-1"].attributes
        assert options["SAMPLE-1"].text == "示例一号工厂 SAMPLE-1"
        offered[role] = set(options)
    assert "SAMPLE-2" in offered["city_officer"]
    assert offered["ent_filler"] == {"", "SAMPLE-1"}


def test_who_may_see_no_factory_types_its_code(address: str, sample_url: str) -> None:
    with client_of(address, secret_of(sample_url, "auditor")) as client:
        form = parse(client.get("/audit?factory=SAMPLE-1").text).one("form", "filters")
    (typed,) = [one for one in form.all("input") if one.attributes["name"] == "factory"]
    assert typed.attributes["value"] == "SAMPLE-1"


def test_where_there_are_very_many_factories_the_code_is_typed(
    sample_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(store.connect(sample_url)) as conn:
        assert factory_field(T, conn, "").form == "choice"
        monkeypatch.setattr(factory_choice, "MOST_NAMED", 2)
        assert factory_field(T, conn, "SAMPLE-1").form == "words"
