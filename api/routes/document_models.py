"""What the interface says of letters and reports."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.exports.register import LONGEST_NUMBER

State = Literal["queued", "running", "done", "failed"]


class NewDocument(BaseModel):
    """A document that is asked for."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$", examples=["verification_report"])]
    period_start: Annotated[
        date | None,
        Field(description="Of a report: the first day of its rolling year, by default the newest"),
    ] = None
    number: Annotated[
        str,
        Field(
            max_length=LONGEST_NUMBER,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="What the office numbers it by; without one the letter leaves a blank",
        ),
    ] = ""


class Document(BaseModel):
    """A document of the register; files are there once it is done."""

    document_id: Annotated[int, Field(description="Its number")]
    factory: Annotated[str, Field(description="The factory's code")]
    kind: Annotated[str, Field(description="As in the request")]
    name_zh: Annotated[str, Field(description="The kind in Chinese")]
    name_en: Annotated[str, Field(description="The kind in English")]
    number: Annotated[str, Field(description="What the office numbers it by; may be empty")]
    period_start: date | None
    state: State
    progress: Annotated[int, Field(description="In percent")]
    attempts: Annotated[int, Field(description="How often its making began")]
    error: Annotated[str | None, Field(description="Why the last attempt failed")]
    asked_by: Annotated[str, Field(description="The name of who asked for it")]
    role: Annotated[
        str, Field(description="The role of who asked for it; system where a step made it due")
    ]
    asked_at: datetime
    version: Annotated[
        int | None, Field(description="Counts those of its kind and subject that were made")
    ]
    template_id: Annotated[str | None, Field(description="The version of its text")]
    content_sha256: Annotated[
        str | None, Field(description="Of what it was made from, as its footer says")
    ]
    docx_sha256: Annotated[str | None, Field(description="Of the file itself")]
    pdf_sha256: Annotated[str | None, Field(description="Of the file itself")]
    made_at: datetime | None


class DocumentList(BaseModel):
    """Documents of one factory, newest first."""

    factory: Annotated[str, Field(description="The factory's code")]
    items: list[Document]
    next_before: Annotated[
        int | None, Field(description="Give it as `before` for the page that follows")
    ]
