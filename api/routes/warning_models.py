"""What the answers on warnings and proposals hold."""

from datetime import date, datetime
from typing import Any

from pydantic import Field

from api.routes.models import Model


class Warned(Model):
    """A warning of the machine, cleared only when its cause is gone."""

    warning_id: int = Field(examples=[7])
    rule: str = Field(examples=["completeness"])
    name_zh: str = Field(examples=["数据完整率不足"])
    name_en: str = Field(examples=["Data are incomplete"])
    subject: str = Field(description="A KPI, a report or a gateway; else empty", examples=[""])
    since: date = Field(description="Since when the cause is there")
    numbers: dict[str, Any] = Field(
        description="What fired it, with the figures, findings or batches that it comes from",
        examples=[{"share": 0.71, "least": 0.9}],
    )
    policy_id: str = Field(description="The policy that it was fired under")
    fired_at: datetime
    cleared_at: datetime | None
    cleared_by: dict[str, Any] | None = Field(description="What says that the cause is gone")


class WarnedFactory(Warned):
    """A warning with the factory that it is of."""

    factory: str = Field(description="Its code", examples=["DEMO-M"])


class WarningPage(Model):
    """Warnings of many factories, the oldest cause first."""

    items: list[WarnedFactory]
    next_after: str | None = Field(description="Give it as `after` for the page that follows")


class Proposed(Model):
    """Steps that the machine asks people to decide on."""

    proposal_id: int = Field(examples=[3])
    rule: str = Field(examples=["review_due"])
    name_zh: str = Field(examples=["复核到期"])
    name_en: str = Field(examples=["A review is due"])
    subject: str = Field(description="Of which one the rule speaks", examples=["2026-06-01"])
    steps: list[str] = Field(description="Of the lifecycle", examples=[["start_review"]])
    since: date = Field(description="Since when the cause is there")
    numbers: dict[str, Any] = Field(description="What it rests on")
    policy_id: str = Field(description="The policy that it was proposed under")
    made_at: datetime
    ended_at: datetime | None
    ended_by: dict[str, Any] | None = Field(description="What says that the cause is gone")


class WarningList(Model):
    """The warnings and proposals of a factory, newest first."""

    factory: str = Field(examples=["DEMO-M"])
    warnings: list[Warned]
    proposals: list[Proposed]
