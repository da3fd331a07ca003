"""The description of the REST interface that clients are made from."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.identity import CSRF_HEADER, PLAIN_COOKIE, SECURE_COOKIE
from api.permissions import PUBLIC
from api.problems import FieldProblem, PossibleStep, Problem, WhyNot
from api.refusals import INGEST_PATH

_SUMMARY = "Verified KPI figures of the factories in the smart-factory cultivation pool"
_DESCRIPTION = """
Each figure is computed from a factory's own data and comes with its bounds, coverage, grade,
method version and revision. Two verdicts are kept apart: *fulfilment* 兑现 says how much of the
promised change happened, *consistency* 一致 whether what the factory reports is true.

Ratios are 0 to 1; percent exists only on pages. Windows of time are half-open. A value of null
means that there is none, never zero. Errors are `application/problem+json` (RFC 9457).
"""
_TAGS = [
    {"name": "factories", "description": "The factories in the pool, with counts of verdicts."},
    {"name": "figures", "description": "Published figures and all their revisions."},
    {"name": "comparison", "description": "Promised, reported and verified side by side."},
    {"name": "follow-up", "description": "What changed since a cursor, to subscribe to."},
    {"name": "pool", "description": "Memberships: where factories stand, and moving them."},
    {"name": "policy", "description": "Thresholds, rhythms and deadlines, set by two people."},
    {"name": "letter texts", "description": "What letters say, set by two people."},
    {"name": "webhooks", "description": "The same sent to other systems, signed and in order."},
    {"name": "todos", "description": "What is to be done by the caller, and messages."},
    {"name": "tickets", "description": "Enterprises ask officers for help."},
    {"name": "schemas", "description": "What business records must hold, and what was refused."},
    {"name": "session", "description": "Logging in and out, and who one is."},
    {"name": "accounts", "description": "Who may log in; the security administrator's alone."},
    {"name": "audit", "description": "What was done, by whom, and what it changed."},
    {"name": "ingest", "description": "What gateways send; each comes with its own token."},
    {"name": "health", "description": "Whether the service works."},
]
_REFERENCE = "#/components/schemas/{model}"

# How each caller says who it is.
_SCHEMES: dict[str, dict[str, str]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SECURE_COOKIE,
        "description": "A person's session, from `POST /session`; without TLS on this machine the "
        f"cookie is called {PLAIN_COOKIE}.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "Beside the session's cookie wherever something is changed: `csrf` of "
        "`GET /session`.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Of another system; the security administrator gives it.",
    },
    "gateway": {
        "type": "http",
        "scheme": "bearer",
        "description": "Of a gateway, from its enrolment; a client certificate does as well.",
    },
}
_READING = ("get", "head")
# What a gateway asks before it has a token.
_ENROLLING = {("POST", f"{INGEST_PATH}enrolments"), ("GET", f"{INGEST_PATH}time")}


def install(app: FastAPI) -> None:
    """Let the application describe itself, with the errors that its handlers make."""

    def description() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]  # as FastAPI tells


def _describe(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        summary=_SUMMARY,
        description=_DESCRIPTION,
        routes=app.routes,
        tags=_TAGS,
    )
    schemas = schema["components"]["schemas"]
    for model in (FieldProblem, WhyNot, PossibleStep, Problem):
        schemas[model.__name__] = model.model_json_schema(ref_template=_REFERENCE)
        schemas[model.__name__].pop("$defs", None)
    schema["components"]["securitySchemes"] = _SCHEMES
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            operation["security"] = _security(method, path)
    return schema


def _security(method: str, path: str) -> list[dict[str, list[str]]]:
    """Return what lets a caller in: one of these; none where anybody may ask."""
    if (method.upper(), path) in PUBLIC | _ENROLLING:
        return []
    if path.startswith(INGEST_PATH):
        return [{"gateway": []}]
    session: dict[str, list[str]] = {"session": []}
    return [session if method in _READING else session | {"csrf": []}, {"token": []}]
