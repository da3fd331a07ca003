"""What a figure stands on, as the REST interface answers it; values are in the stored unit."""

from datetime import datetime
from typing import Any

from pydantic import Field

from api.routes.models import Model, PeriodKind, Window


class WorstHour(Model):
    """An hour in which much of an asset's time or count is not known."""

    hour: datetime
    unknown_s: float = Field(description="Planned seconds without a known state", examples=[900.0])
    uncounted_s: float = Field(description="Planned seconds that no count spans", examples=[0.0])


class AssetFacts(Model):
    """The hour facts of one asset, added up over the period; what it does not have is left out."""

    asset: str = Field(examples=["M01"])
    name_zh: str = Field(examples=["示例机床"])
    hours: int = Field(examples=[744])
    rows: int = Field(examples=[8928])
    sums: dict[str, float] = Field(examples=[{"planned_s": 892_800.0, "run_s": 700_000.0}])
    worst_hours: list[WorstHour] = Field(description="At most five")


class Batch(Model):
    """A batch with rows or records under the figure."""

    gateway: str = Field(examples=["gw-1"])
    seq: int = Field(examples=[812])
    rows: int = Field(description="Rows under the figure", examples=[5000])
    records: int = Field(description="Record versions under the figure", examples=[0])
    sha256: str = Field(description="Over prev_sha256 and the canonical bytes")
    prev_sha256: str = Field(description="The hash of the gateway's batch before it")
    signature_ok: bool = Field(description="Ed25519, by the key that was enrolled when it came")
    received_at: datetime


class Gateway(Model):
    """A gateway whose batches lie under the figure."""

    gateway: str = Field(examples=["gw-1"])
    key_fingerprint: str = Field(description="First half of the SHA-256 of its public key")
    enrolled_at: datetime | None
    enrolled_by: str | None = Field(examples=["officer"])
    revoked_at: datetime | None
    batches: int = Field(description="How many of the batches are its own", examples=[31])


class Record(Model):
    """A business record that counts for the period, in the version that was known then."""

    kind: str = Field(examples=["inspection"])
    key: str = Field(examples=["LOT-2026-0312"])
    version: int = Field(examples=[1])
    at: datetime
    gateway: str = Field(examples=["gw-1"])
    seq: int = Field(description="The batch that brought it", examples=[812])


class Explanation(Model):
    """One revision of a figure and all that it stands on."""

    figure_id: int = Field(examples=[1711])
    factory: str = Field(examples=["DEMO-M"])
    kpi: str = Field(examples=["oee"])
    period_kind: PeriodKind
    period: Window
    revision: int = Field(examples=[1])
    unit: str = Field(examples=["1"])
    point: float | None = Field(examples=[0.71])
    low: float | None = Field(examples=[0.70])
    high: float | None = Field(examples=[0.73])
    coverage: float = Field(examples=[0.97])
    grade: str = Field(examples=["A"])
    reason: str | None = Field(
        description="Why there is no point, as a code; plain where it has none",
        examples=["entry_meter_silent"],
    )
    reason_zh: str | None = Field(examples=["进线表 EM01 在统计期内没有数据"])
    reason_en: str | None = Field(examples=["entry meter EM01 has no data in the period"])
    method_version: str = Field(examples=["KPI-2026.1"])
    coefficient_version: str = Field(examples=["GB/T 2589-2020"])
    computed_at: datetime
    inputs: dict[str, Any] = Field(description="The sums that the point was formed from")
    inputs_sha256: str = Field(description="Over inputs, point, bounds, coverage and reason")
    facts: list[AssetFacts] = Field(description="Hour facts by asset")
    batch_count: int = Field(examples=[31])
    batches: list[Batch] = Field(description="The first 1000")
    gateways: list[Gateway] = Field(description="Who signed them")
    record_count: int = Field(examples=[412])
    records: list[Record] = Field(description="The first 200")
    rows_from: datetime | None = Field(
        description="Set where raw rows under the figure are no longer kept: those before this time"
    )
