"""The description of the interface is whole: a client can be made from it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest


@pytest.fixture
def description(client: httpx.Client) -> dict[str, Any]:
    found = client.get("/api/v1/openapi.json").raise_for_status().json()
    assert isinstance(found, dict)
    return found


def operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_lists_the_interface_and_no_page(description: dict[str, Any]) -> None:
    assert description["info"]["version"] == "0.1.0"
    assert set(description["paths"]) == {
        "/api/v1/accounts",
        "/api/v1/accounts/{account_id}",
        "/api/v1/accounts/{account_id}/device",
        "/api/v1/accounts/{account_id}/disabled",
        "/api/v1/accounts/{account_id}/factories/{factory}",
        "/api/v1/accounts/{account_id}/password",
        "/api/v1/accounts/{account_id}/tokens",
        "/api/v1/audit",
        "/api/v1/factories",
        "/api/v1/factories/{code}",
        "/api/v1/factories/{code}/figures",
        "/api/v1/factories/{code}/figures/{kpi}/{period_kind}/{period_start}/revisions",
        "/api/v1/factories/{code}/figures/{kpi}/{period_kind}/{period_start}/explanation",
        "/api/v1/factories/{code}/comparison",
        "/api/v1/factories/{code}/documents",
        "/api/v1/factories/{code}/documents/{document_id}",
        "/api/v1/factories/{code}/documents/{document_id}/file",
        "/api/v1/factories/{code}/evidence",
        "/api/v1/factories/{code}/findings",
        "/api/v1/factories/{code}/warnings",
        "/api/v1/factories/{code}/gaps",
        "/api/v1/factories/{code}/files",
        "/api/v1/factories/{code}/membership",
        "/api/v1/factories/{code}/membership/evidence",
        "/api/v1/factories/{code}/membership/evidence/{item_id}/withdrawal",
        "/api/v1/factories/{code}/membership/request",
        "/api/v1/factories/{code}/membership/request/withdrawal",
        "/api/v1/factories/{code}/membership/steps",
        "/api/v1/factories/{code}/refused",
        "/api/v1/follow-up",
        "/api/v1/ingest/batches",
        "/api/v1/ingest/enrolments",
        "/api/v1/ingest/last",
        "/api/v1/ingest/quarantine",
        "/api/v1/ingest/tags",
        "/api/v1/ingest/time",
        "/api/v1/ingest/tokens",
        "/api/v1/disputes",
        "/api/v1/factories/{code}/disputes",
        "/api/v1/factories/{code}/disputes/{dispute_id}",
        "/api/v1/factories/{code}/disputes/{dispute_id}/steps",
        "/api/v1/factories/{code}/reports",
        "/api/v1/factories/{code}/reports/{report_id}",
        "/api/v1/factories/{code}/reports/{report_id}/answers",
        "/api/v1/factories/{code}/reports/{report_id}/answers/{item}",
        "/api/v1/factories/{code}/reports/{report_id}/steps",
        "/api/v1/reports",
        "/api/v1/lifecycle",
        "/api/v1/memberships",
        "/api/v1/letter-texts",
        "/api/v1/letter-texts/{kind}",
        "/api/v1/letter-texts/{kind}/proposals",
        "/api/v1/letter-texts/proposals/{number}/decision",
        "/api/v1/letter-texts/proposals/{number}/withdrawal",
        "/api/v1/policy",
        "/api/v1/policy/proposals",
        "/api/v1/policy/proposals/{value_id}/decision",
        "/api/v1/policy/proposals/{value_id}/withdrawal",
        "/api/v1/contact",
        "/api/v1/factories/{code}/tickets",
        "/api/v1/messages",
        "/api/v1/messages/{message_id}/receipt",
        "/api/v1/tickets",
        "/api/v1/tickets/{ticket_id}",
        "/api/v1/tickets/{ticket_id}/closing",
        "/api/v1/tickets/{ticket_id}/reopening",
        "/api/v1/tickets/{ticket_id}/replies",
        "/api/v1/todos",
        "/api/v1/schemas",
        "/api/v1/schemas/{kind}",
        "/api/v1/session",
        "/api/v1/tokens",
        "/api/v1/tokens/{token_id}",
        "/api/v1/verifiers",
        "/api/v1/entries",
        "/api/v1/factories/{code}/files/{sha256}",
        "/api/v1/warnings",
        "/api/v1/entries/template",
        "/api/v1/entries/{run_id}",
        "/api/v1/entries/{run_id}/import",
        "/api/v1/outbox",
        "/api/v1/outbox/{delivery_id}/retry",
        "/api/v1/system",
        "/api/v1/webhooks",
        "/api/v1/webhooks/{webhook_id}",
        "/api/v1/webhooks/{webhook_id}/paused",
        "/api/v1/webhooks/{webhook_id}/trial",
        "/api/v1/webhooks/{webhook_id}/dead-letters",
        "/api/v1/webhooks/{webhook_id}/dead-letters/{letter_id}/redelivery",
        "/healthz",
    }


def test_every_operation_is_described_with_its_answers(description: dict[str, Any]) -> None:
    for path, operation in operations(description):
        assert operation["summary"], path
        assert operation["description"], path
        answers = operation["responses"]
        (done,) = set(answers) & {"200", "201", "202", "204"}
        if done != "204" and "application/octet-stream" not in answers[done]["content"]:
            assert "$ref" in answers[done]["content"]["application/json"]["schema"], path
        assert "503" in answers, path
        for status in set(answers) - {done, "304"}:
            schema = answers[status]["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}, (path, status)


def test_the_feed_says_how_to_poll(description: dict[str, Any]) -> None:
    text = description["paths"]["/api/v1/follow-up"]["get"]["description"]
    assert "cursor=0" in text
    assert "next_cursor" in text


def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    found = set(references(description))
    assert found
    assert {name.removeprefix("#/components/schemas/") for name in found} <= set(schemas)


def test_every_field_of_a_number_or_text_has_an_example_or_says_what_it_is(
    description: dict[str, Any],
) -> None:
    for name, schema in description["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            told = {"examples", "description", "enum", "$ref", "items", "const", "format"}
            alternatives = about.get("anyOf", [])
            assert told & set(about) or any(told & set(each) for each in alternatives), (
                name,
                field,
            )


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_no_page_that_loads_scripts_from_elsewhere(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_every_operation_says_who_may_ask(description: dict[str, Any]) -> None:
    schemes = set(description["components"]["securitySchemes"])
    assert schemes == {"session", "csrf", "token", "gateway"}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            ways = [set(way) for way in operation["security"]]
            assert set().union(*ways) <= schemes
            answers = operation["responses"]
            if ways and path.startswith("/api/v1/ingest/"):
                assert ways == [{"gateway"}], path
            elif ways:
                changing = method not in ("get", "head")
                assert ways == [{"session", "csrf"} if changing else {"session"}, {"token"}], path
                assert {"401", "403"} <= set(answers), (method, path)
            else:
                assert path in _OPEN, path


_OPEN = {
    *("/healthz", "/api/v1/session", "/api/v1/schemas", "/api/v1/schemas/{kind}"),
    *("/api/v1/ingest/enrolments", "/api/v1/ingest/time"),
}


def test_every_changing_request_can_be_repeated_without_doing_it_twice(
    description: dict[str, Any],
) -> None:
    without = set()
    for path, methods in description["paths"].items():
        if "post" in methods and not path.startswith("/api/v1/ingest/"):
            names = {each["name"] for each in methods["post"].get("parameters", [])}
            if "Idempotency-Key" not in names:
                without.add(path)
    assert without == _WITHOUT_KEY


_WITHOUT_KEY = {
    # Their answers hold what opens something; none of it is kept, so none is given again.
    *("/api/v1/session", "/api/v1/accounts", "/api/v1/accounts/{account_id}/password"),
    "/api/v1/accounts/{account_id}/tokens",
    # A file is known by its hash: the same comes to the same.
    "/api/v1/factories/{code}/files",
}
