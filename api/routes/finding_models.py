"""What the answers on plausibility findings hold."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.routes.models import Model

Severity = Literal["fail", "warn", "review", "pass", "not_applicable"]


class Finding(Model):
    """What one rule found of one subject in a month; not_applicable says why, and never passes."""

    finding_id: int = Field(examples=[1289])
    rule: str = Field(examples=["P01"])
    rule_version: str = Field(examples=["DQ-2026.1"])
    name_zh: str = Field(examples=["无功率运行"])
    name_en: str = Field(examples=["Running without power"])
    severity: Severity
    subject: str = Field(description="A tag, an asset, a record or the factory", examples=["M01"])
    period_start: date
    period_end: date = Field(description="The day after the last")
    measured: float | None = Field(description="In the unit", examples=[0.062])
    threshold: float | None = Field(description="The limit that was passed, or else is kept")
    unit: str = Field(description="ratio, s, h, days or count", examples=["ratio"])
    sentence_zh: str = Field(examples=["M01：单日计数器复位2（限值1）"])
    sentence_en: str = Field(examples=["M01: 2 resets in one day (limit 1)"])
    shown: list[dict[str, str]] = Field(
        description="Spans of time, records, batches or assets that show it, at most 50",
        examples=[[{"from": "2026-03-02T04:00:00Z", "to": "2026-03-02T07:00:00Z"}]],
    )
    shown_count: int = Field(description="All that show it, listed or not")
    found_at: datetime
    cleared_at: datetime | None = Field(description="When a later check did not find it any more")


class FindingList(Model):
    """The findings of a factory, the newest month first."""

    factory: str = Field(examples=["DEMO-M"])
    items: list[Finding]
