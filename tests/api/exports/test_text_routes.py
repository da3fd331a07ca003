"""The texts of letters over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from api.exports import letter
from api.exports.kinds import kinds
from api.pool import workdays
from tests.api.conftest import served
from tests.api.exports.test_texts import OWN
from tests.api.pool.pooled import Pooled
from tests.api.pool.test_routes import Desk

TEXTS = "/api/v1/letter-texts"


@pytest.fixture
def desk(pooled: Pooled, database_url: str) -> Iterator[Desk]:
    """The people around the sample factory behind a running server, on the day that it is."""
    pooled.now = datetime.now(UTC)
    with served(database_url) as address:
        found = Desk(pooled, address)
        yield found
        found.close()


def given(desk: Desk, content: str = OWN) -> dict[str, str]:
    day = workdays.today(desk.pooled.now)
    return {"content": content, "valid_from": str(day), "source": "示例文号"}


def test_every_letter_has_a_text_and_the_words_that_it_may_name(desk: Desk) -> None:
    client = desk.as_("ent_filler")
    listed = client.get(TEXTS).json()["items"]
    assert [each["kind"] for each in listed] == list(kinds())
    assert not any(each["own"] or each["waiting"] for each in listed)
    one = client.get(f"{TEXTS}/warning_notice").json()
    assert letter.read(one["content"]).template_id == one["template_id"]
    assert set(one["placeholders"]) == letter.FACTS
    assert client.get(f"{TEXTS}/love_letter").status_code == 404


def test_a_text_takes_two_people_and_keeps_its_history(desk: Desk) -> None:
    officer, leader = desk.as_("city_officer"), desk.as_("city_leader")
    number = desk.post(officer, f"{TEXTS}/warning_notice/proposals", given(desk)).json()["number"]
    waiting = {each["kind"]: each["waiting"] for each in leader.get(TEXTS).json()["items"]}
    assert waiting["warning_notice"] == 1
    decision = f"{TEXTS}/proposals/{number}/decision"
    assert desk.post(officer, decision, {"confirmed": True}).status_code == 403
    assert desk.post(leader, decision, {"confirmed": True}).json()["outcome"] == "confirmed"
    found = leader.get(f"{TEXTS}/warning_notice").json()
    assert (found["own"], found["content"]) == (True, OWN.strip())
    assert found["template_id"].endswith(f"-{number}")
    assert [each["outcome"] for each in found["proposals"]] == ["confirmed"]


def test_a_text_is_withdrawn_by_who_proposed_it(desk: Desk) -> None:
    officer, leader = desk.as_("city_officer"), desk.as_("city_leader")
    number = desk.post(officer, f"{TEXTS}/warning_notice/proposals", given(desk)).json()["number"]
    withdrawal = f"{TEXTS}/proposals/{number}/withdrawal"
    assert desk.post(leader, withdrawal, {}).status_code == 403
    assert desk.post(officer, withdrawal, {}).json()["outcome"] == "withdrawn"
    decision = f"{TEXTS}/proposals/{number}/decision"
    assert desk.post(leader, decision, {"confirmed": True}).status_code == 409


def test_a_wrong_placeholder_is_refused_by_name(desk: Desk) -> None:
    wrong = OWN.replace("{factory}", "{fabrik}")
    refused = desk.post(
        desk.as_("city_officer"), f"{TEXTS}/warning_notice/proposals", given(desk, wrong)
    )
    assert refused.status_code == 422
    assert "block 1: {fabrik} is no fact" in refused.json()["detail"]
    kind = f"{TEXTS}/love_letter/proposals"
    assert desk.post(desk.as_("city_officer"), kind, given(desk)).status_code == 404
