"""What is refused is said in both languages, and every text of it is used."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from api.identity import CSRF_HEADER, csrf_of
from api.messages import catalogue
from api.pool.errors import Declined, NotPossible
from api.pool.lifecycle import Name
from api.pool.refused import refused
from tests.api.conftest import served
from tests.api.people import client_of, session_of
from tests.api.pool.pooled import Pooled
from tests.store.people import person


def test_a_name_is_said_in_the_readers_language() -> None:
    found = refused("no_value", Declined, item=Name("人数", "people"))
    assert (found.text("zh"), found.text("en")) == ("人数：请填写", "people: say a value")
    assert isinstance(refused("dispute_open", NotPossible), NotPossible)


def test_an_error_without_a_chinese_text_says_the_english_one() -> None:
    assert Declined("no").text("zh") == "no"


def test_every_text_of_a_refusal_is_used() -> None:
    root = Path(str(files("api")))
    sources = [path.read_text(encoding="utf-8") for path in root.rglob("*.py")]
    text = "\n".join(each for each in sources if "api.pool.refused import" in each)
    used = set(re.findall(r'refused\(\s*f?"([a-z_{}]+)"', text))
    made = {"say_{what}": ("reason", "why", "method", "document"),
            "no_step_{thing}": ("report", "dispute"),
            "stale_{thing}": ("report", "dispute")}  # fmt: skip
    for pattern, words in made.items():
        assert pattern in used
        used.remove(pattern)
        used |= {re.sub(r"\{\w+\}", word, pattern) for word in words}
    used |= set(re.findall(r'"(field_[a-z]+)"', text))
    used |= set(re.findall(r'_not_now\(\s*"([a-z_]+)"', text))
    used |= set(re.findall(r'refused\(\s*"[a-z_]+" if .* else "([a-z_]+)"', text))
    assert used == {key.partition(".")[2] for key in catalogue() if key.startswith("refused.")}


@pytest.fixture
def served_pool(pooled: Pooled, database_url: str) -> Iterator[tuple[Pooled, str]]:
    """The sample factory in the pool behind a running server."""
    with served(database_url) as address:
        yield pooled, address


def test_a_page_says_why_in_the_readers_language_and_the_interface_with_a_code(
    served_pool: tuple[Pooled, str],
) -> None:
    pooled, address = served_pool
    secret = session_of(pooled.conn, pooled.person("ent_filler")[0])
    asked = {"factory": "sample", "subject": " ", "text": "网关断线", "level": "county"}
    with client_of(address, secret) as client:
        for language, words in (("zh", "请填写标题"), ("en", "a subject has 1 to 200 characters")):
            answer = client.post(
                "/tickets", data=asked | {"csrf": csrf_of(secret)}, params={"lang": language}
            )
            assert answer.status_code == 422
            assert words in answer.text
        stay = pooled.membership()
        told = client.post(
            "/api/v1/factories/sample/membership/evidence",
            json={"kind": "hearing", "happened_on": str(pooled.today), "data": {}},
            headers={CSRF_HEADER: csrf_of(secret), "Idempotency-Key": "k" * 32},
        )
    assert (told.status_code, told.json()["code"]) == (403, "kind_role")
    assert told.json()["detail"] == "Hearing is recorded by the county officer or city officer"
    assert pooled.membership() == stay


def test_an_account_that_cannot_be_changed_so_is_refused_in_words(
    served_pool: tuple[Pooled, str],
) -> None:
    pooled, address = served_pool
    secret = session_of(pooled.conn, person(pooled.conn, "secadmin"))
    officer, _ = pooled.person("city_officer")
    form = {"csrf": csrf_of(secret), "factory": "sample", "assigned": "true"}
    with client_of(address, secret) as client:
        answer = client.post(f"/accounts/{officer.account_id}/factories", data=form)
    assert answer.status_code == 422
    assert catalogue()["fault.factory"]["zh"] in answer.text
