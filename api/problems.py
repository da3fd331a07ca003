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


class WhyNot(BaseModel):
    """Why a step is not open, in both languages, with the numbers that it rests on."""

    guard: str = Field(description="What does not hold; step where no guard speaks of it")
    code: str = Field(examples=["early"])
    zh: str = Field(examples=["消除期限到 2026-04-01 止，尚未期满"])
    en: str = Field(examples=["the term to clear it ends on 2026-04-01"])
    numbers: dict[str, Any] = Field(examples=[{"deadline": "2026-04-01"}])


class PossibleStep(BaseModel):
    """A step from the present state, and why it is not open to the caller where it is not."""

    transition: str = Field(examples=["order_rectification"])
    to: str = Field(description="The state that it leads to", examples=["rectify"])
    zh: str = Field(examples=["下达整改"])
    en: str = Field(examples=["Order rectification"])
    allowed: bool = Field(description="Open to the caller now")
    needs_comment: bool = Field(description="It goes against the enterprise")
    confirmed_by: list[str] = Field(description="Roles of the second person; empty without one")
    documents: list[str] = Field(description="Letters that it makes")
    reasons: list[WhyNot]


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
    code: str | None = Field(
        default=None,
        description="Only where a rule of the follow-up refuses it: which one",
        examples=["adverse"],
    )
    possible: list[PossibleStep] | None = Field(
        default=None, description="Only of a step that is not open: what can be done now"
    )


def problem(
    request: Request,
    status: int,
    detail: str,
    errors: list[FieldProblem] | None = None,
    kind: str = "about:blank",
    possible: list[PossibleStep] | None = None,
    code: str | None = None,
) -> JSONResponse:
    """Make the answer to a request that failed; 503 says when to try again."""
    body = Problem(
        type=kind,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=errors,
        code=code,
        possible=possible,
    )
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True),
        status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the errors of a route; every route may answer 503."""
    schema = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in (*statuses, 503)
    }
