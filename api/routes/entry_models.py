"""What the interface says of the lists of factories that a bureau hands over."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.pool.entry import Outcome
from api.pool.entry_fields import Severity


class EntryChange(BaseModel):
    """A value of a stored factory that the list says otherwise; periods are half-open."""

    name: Annotated[str, Field(description="What it is of")]
    column: Annotated[str, Field(description="The column of the list")]
    before: Annotated[str, Field(description="What is stored")]
    after: Annotated[str, Field(description="What the list says")]


class EntryProblem(BaseModel):
    """What is wrong or odd in a row, and what to do."""

    column: Annotated[str, Field(description="The column, as its head says")]
    column_en: Annotated[str, Field(description="The column in English")]
    severity: Annotated[Severity, Field(description="An error keeps its row out")]
    what: Annotated[str, Field(description="What is wrong, in English")]
    do: Annotated[str, Field(description="What to do, in English, with the values allowed")]
    what_zh: Annotated[str, Field(description="What is wrong, in Chinese")]
    do_zh: Annotated[str, Field(description="What to do, in Chinese")]


class EntryRow(BaseModel):
    """What becomes of a row; rows that say the same and have no problem are only counted."""

    row: Annotated[int, Field(description="As the sheet numbers it")]
    factory: Annotated[str, Field(description="Its name in the list")]
    code: Annotated[str, Field(description="Its code, empty where none could be given")]
    outcome: Outcome
    changes: list[EntryChange]
    problems: list[EntryProblem]


class EntryRefusal(BaseModel):
    """Why a list cannot be read as a whole."""

    zh: Annotated[str, Field(description="In Chinese")]
    en: Annotated[str, Field(description="In English")]


class EntryReport(BaseModel):
    """What a list comes to."""

    written: Annotated[bool, Field(description="Whether anything was stored: not of a trial")]
    counts: Annotated[dict[Outcome, int], Field(description="Rows by what becomes of them")]
    untold: Annotated[int, Field(description="Problems beyond those that are told")]
    rows: list[EntryRow]


class EntryRun(BaseModel):
    """A trial of a list, or the import of the list of a trial."""

    run_id: Annotated[int, Field(description="Its number")]
    trial_id: Annotated[int | None, Field(description="Of an import: the trial that it follows")]
    file_name: Annotated[str, Field(examples=["名单.xlsx"])]
    file_sha256: Annotated[str, Field(description="Of the list, in hexadecimal")]
    skip_faulty: Annotated[bool, Field(description="Of an import: leaves faulty rows out")]
    state: Literal["queued", "running", "done", "failed"]
    attempts: Annotated[int, Field(description="How often its doing began")]
    error: Annotated[str | None, Field(description="Why the last attempt failed")]
    asked_by: Annotated[str, Field(description="The name of who asked for it")]
    asked_at: datetime
    ended_at: datetime | None
    import_id: Annotated[int | None, Field(description="Of a trial: the import of its list")]


class EntryRunReport(EntryRun):
    """A run with what came of it."""

    refused: Annotated[EntryRefusal | None, Field(description="Why the list was not read")] = None
    report: Annotated[EntryReport | None, Field(description="Once it is done and was read")] = None


class EntryRunList(BaseModel):
    """Runs, newest first."""

    items: list[EntryRun]
    next_before: Annotated[
        int | None, Field(description="Give it as `before` for the page that follows")
    ]


class GivenList(BaseModel):
    """What tells one list that is handed over from another."""

    name: str
    sha256: str


class NewImport(BaseModel):
    """An import that is asked for."""

    model_config = ConfigDict(extra="forbid")

    skip_faulty: Annotated[
        bool, Field(description="Leave faulty rows out; otherwise they keep out the whole list")
    ] = False
