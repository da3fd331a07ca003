"""What the answer on evidence for the construction points holds."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from api.routes.models import Model


class Evidence(Model):
    """What data say of one claim by one method; class B still wants a person's confirmation."""

    claim: str = Field(examples=["D4.2c"])
    claim_zh: str = Field(examples=["自动在线监测设备工作状态"])
    claim_en: str = Field(examples=["machine state monitored on line"])
    evidence_class: Literal["A", "B"] = Field(
        description="A: computed from data alone; B: data show the footprint, a person confirms"
    )
    method: str = Field(examples=["EV-STATE"])
    method_zh: str = Field(examples=["状态监测"])
    method_en: str = Field(examples=["Machine-state monitoring"])
    verdict: Literal["proven", "not_proven", "not_computable"]
    reason: str | None = Field(
        description="Why it is not computable, as a code", examples=["no_record_of_kind"]
    )
    reason_zh: str | None = Field(examples=["窗口内没有 alarm 类记录"])
    reason_en: str | None = Field(examples=["no record of the kind alarm in the window"])
    window_start: datetime
    window_end: datetime = Field(description="The first moment that no longer counts")
    rule_version: str = Field(examples=["A1-2026.1"])
    numbers: dict[str, Any] = Field(description="What was counted", examples=[{"share": 0.97}])
    links: dict[str, Any] = Field(
        description="The tags, record keys, stops or figures that show it, at most 50 of each kind",
        examples=[{"tags": ["M01.state"]}],
    )
    expires_on: date = Field(description="From this local day on it no longer counts")
    expired: bool = Field(description="Whether that day has come")
    computed_at: datetime


class EvidenceList(Model):
    """The newest answers to the claims of a factory, by claim."""

    factory: str = Field(examples=["DEMO-M"])
    items: list[Evidence]
