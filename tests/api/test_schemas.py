"""The published schemas of business records, and the list of what was refused."""

from contextlib import closing

import httpx
import pytest
from jsonschema import Draft202012Validator

import store
from store.batches import quarantine
from store.record_kinds import KINDS
from store.registry import register_gateway
from store.signing import generate_key, public_key
from tests.api.conftest import served
from tests.api.people import client_of, secret_of
from tests.collectors.plant import FACTORY, prepare_database
from tests.collectors.records.samples import SAMPLES


def test_every_kind_is_listed_with_the_way_to_its_schema(client: httpx.Client) -> None:
    items = client.get("/api/v1/schemas").raise_for_status().json()["items"]
    assert [item["kind"] for item in items] == list(KINDS)
    for item in items:
        assert item["title_zh"]
        schema = client.get(item["schema_path"]).raise_for_status().json()
        assert schema["title"] == item["title_zh"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_published_schema_judges_a_record_without_any_of_our_code(
    client: httpx.Client, kind: str
) -> None:
    schema = client.get(f"/api/v1/schemas/{kind}").raise_for_status().json()
    validator = Draft202012Validator(schema)
    assert validator.is_valid(SAMPLES[kind])
    assert not validator.is_valid({})


def test_an_unknown_kind_is_told_with_the_one_that_was_meant(client: httpx.Client) -> None:
    answer = client.get("/api/v1/schemas/oder_line")
    assert answer.status_code == 404
    assert 'did you mean "order_line"?' in answer.json()["detail"]


def test_a_schema_that_a_client_has_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/api/v1/schemas/cogs")
    again = client.get("/api/v1/schemas/cogs", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_what_was_refused_is_listed_newest_first_in_pages(database_url: str) -> None:
    prepare_database(database_url, ["T"])
    with closing(store.connect(database_url)) as conn:
        register_gateway(conn, FACTORY, "gw-1", public_key(generate_key()))
        for number in range(3):
            reason = f"order_line: quantity: -{number + 1} is less than 0"
            quarantine(conn, "gw-1", "business", reason, '{"secret": 1}')
    with served(database_url) as address, client_of(address, secret_of(database_url)) as client:
        path = f"/api/v1/factories/{FACTORY}/refused"
        first = client.get(path, params={"limit": 2}).raise_for_status().json()
        rest = client.get(path, params={"limit": 2, "before": first["next_before"]}).json()
        missing = client.get("/api/v1/factories/none/refused")
    reasons = [item["reason"] for item in [*first["items"], *rest["items"]]]
    assert reasons == [f"order_line: quantity: -{number} is less than 0" for number in (3, 2, 1)]
    assert rest["next_before"] is None
    assert "secret" not in str(first)
    assert missing.status_code == 404
