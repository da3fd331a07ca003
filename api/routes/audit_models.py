"""Entries of the audit."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class Entry(BaseModel):
    """Who did what to which thing, and what it was before and after."""

    entry_id: int = Field(examples=[812])
    at: datetime
    account_id: int | None = Field(description="null for the jobs of the system", examples=[17])
    actor: str = Field(examples=["李伟"])
    role: str = Field(examples=["county_officer"])
    action: str = Field(examples=["logged_in"])
    kind: str = Field(description="What sort of thing it was done to", examples=["account"])
    key: str = Field(description="Which one", examples=["17"])
    factory: str | None = Field(examples=["DEMO-M"])
    before: Any = Field(description="What changed, as it was; null where there was nothing")
    after: Any = Field(description="What changed, as it is now")
    reason: str | None = Field(examples=["资料不全"])
    sha256: str = Field(description="Chains the entry to the one before it", examples=["9f2c…"])


class Entries(BaseModel):
    """Entries, newest first."""

    items: list[Entry]
    next_before: int | None = Field(
        description="For `before` of the next page; null on the last", examples=[713]
    )
