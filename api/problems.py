"""Errors as problem+json (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class FieldProblem(BaseModel):
    """What is wrong with one parameter."""

    field: str = Field(description="Where it stands, such as query.limit", examples=["query.limit"])
    detail: str = Field(examples=["Input should be less than or equal to 1000"])


class Problem(BaseModel):
    """An error as RFC 9457 describes it."""

    type: str = Field(
        default="about:blank",
        description="about:blank where the status says all there is to know; what gateways get "
        "names the error",
        examples=["urn:millpond:error:UnknownTag"],
    )
    title: str = Field(description="The name of the status", examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(
        description="What happened and what to do", examples=["no factory has the code DEMO-9"]
    )
    instance: str = Field(
        description="The path that was asked for", examples=["/api/v1/factories/DEMO-9"]
    )
    errors: list[FieldProblem] | None = Field(
        default=None, description="Only where parameters are wrong"
    )


def problem(
    request: Request,
    status: int,
    detail: str,
    errors: list[FieldProblem] | None = None,
    kind: str = "about:blank",
) -> JSONResponse:
    """Make the answer to a request that failed; 503 says when to try again."""
    body = Problem(
        type=kind,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=errors,
    )
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the errors of a route; every route may answer 503."""
    schema = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in (*statuses, 503)
    }
