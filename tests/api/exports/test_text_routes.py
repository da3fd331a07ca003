"""The texts of letters over HTTP."""

from collections.abc import Iterator

import pytest

from api.exports import letter
from api.exports.kinds import kinds
from api.pool import workdays
from tests.api.exports.test_texts import OWN
from tests.api.pool.asking import Asking, asked
from tests.api.pool.pooled import Pooled

TEXTS = "/api/v1/letter-texts"


@pytest.fixture
def asking(pooled: Pooled, database_url: str) -> Iterator[Asking]:
    """The people around the sample factory behind a running server, on the day that it is."""
    with asked(pooled, database_url) as found:
        yield found


def given(asking: Asking, content: str = OWN) -> dict[str, str]:
    day = workdays.today(asking.pooled.now)
    return {"content": content, "valid_from": str(day), "source": "示例文号"}


def test_every_letter_has_a_text_and_the_words_that_it_may_name(asking: Asking) -> None:
    client = asking.as_("ent_filler")
    listed = client.get(TEXTS).json()["items"]
    assert [each["kind"] for each in listed] == list(kinds())
    assert not any(each["own"] or each["waiting"] for each in listed)
    one = client.get(f"{TEXTS}/warning_notice").json()
    assert letter.read(one["content"]).template_id == one["template_id"]
    assert set(one["placeholders"]) == letter.FACTS
    assert client.get(f"{TEXTS}/love_letter").status_code == 404


def test_a_text_takes_two_people_and_keeps_its_history(asking: Asking) -> None:
    officer, leader = asking.as_("city_officer"), asking.as_("city_leader")
    number = asking.post(officer, f"{TEXTS}/warning_notice/proposals", given(asking)).json()[
        "number"
    ]
    waiting = {each["kind"]: each["waiting"] for each in leader.get(TEXTS).json()["items"]}
    assert waiting["warning_notice"] == 1
    decision = f"{TEXTS}/proposals/{number}/decision"
    assert asking.post(officer, decision, {"confirmed": True}).status_code == 403
    assert asking.post(leader, decision, {"confirmed": True}).json()["outcome"] == "confirmed"
    found = leader.get(f"{TEXTS}/warning_notice").json()
    assert (found["own"], found["content"]) == (True, OWN.strip())
    assert found["template_id"].endswith(f"-{number}")
    assert [each["outcome"] for each in found["proposals"]] == ["confirmed"]


def test_a_text_is_withdrawn_by_who_proposed_it(asking: Asking) -> None:
    officer, leader = asking.as_("city_officer"), asking.as_("city_leader")
    number = asking.post(officer, f"{TEXTS}/warning_notice/proposals", given(asking)).json()[
        "number"
    ]
    withdrawal = f"{TEXTS}/proposals/{number}/withdrawal"
    assert asking.post(leader, withdrawal, {}).status_code == 403
    assert asking.post(officer, withdrawal, {}).json()["outcome"] == "withdrawn"
    decision = f"{TEXTS}/proposals/{number}/decision"
    assert asking.post(leader, decision, {"confirmed": True}).status_code == 409


def test_a_wrong_placeholder_is_refused_by_name(asking: Asking) -> None:
    wrong = OWN.replace("{factory}", "{fabrik}")
    refused = asking.post(
        asking.as_("city_officer"), f"{TEXTS}/warning_notice/proposals", given(asking, wrong)
    )
    assert refused.status_code == 422
    assert "block 1: {fabrik} is no fact" in refused.json()["detail"]
    kind = f"{TEXTS}/love_letter/proposals"
    assert asking.post(asking.as_("city_officer"), kind, given(asking)).status_code == 404
