"""What the REST interface answers with; values are in the stored unit that `unit` names."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.verdicts import ConsistencyWord, FulfilmentWord

PeriodKind = Literal["month", "rolling12"]


class Model(BaseModel):
    """Common settings: unknown fields are a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(Model):
    """A half-open window of local dates."""

    start: date = Field(examples=["2024-11-01"])
    end: date = Field(description="The first day that no longer counts", examples=["2025-11-01"])


class Region(Model):
    """A county or a development zone."""

    code: str = Field(examples=["320613"])
    name_zh: str = Field(examples=["崇川区"])
    name_en: str = Field(examples=["Chongchuan"])


class VerdictCounts(Model):
    """How many KPIs have which verdict in the newest rolling year that was judged."""

    period: Window | None = Field(description="None before the first verdict")
    fulfilment: dict[FulfilmentWord, int] = Field(examples=[{"met": 4, "partly": 1}])
    consistency: dict[ConsistencyWord, int] = Field(examples=[{"same": 4, "false": 1}])


class Factory(Model):
    """A factory in the pool."""

    code: str = Field(examples=["DEMO-M"])
    name_zh: str = Field(examples=["示例一号工厂"])
    name_en: str = Field(examples=["Sample plant 1"])
    enterprise_zh: str = Field(examples=["示例精密机械有限公司"])
    enterprise_en: str = Field(examples=["Sample Precision Machinery"])
    region: Region
    kind: Literal["discrete", "process"]
    timezone: str = Field(examples=["Asia/Shanghai"])
    baseline: Window = Field(description="The window that `before` refers to 基准期")
    renovated_on: date = Field(
        description="The first day after renovation 改造投运", examples=["2025-11-01"]
    )
    last_received_at: datetime | None = Field(
        description="When the newest batch of data arrived; None before the first"
    )
    attention: Literal["act", "watch", "fine", "pending"] = Field(
        description="act: a promise was missed or a report is false; watch: partly kept, "
        "unverifiable or somewhat off; fine: all kept; pending: nothing judged yet"
    )
    verdicts: VerdictCounts


class FactoryList(Model):
    """Factories in the order of their codes."""

    items: list[Factory]
    next_after: str | None = Field(
        description="Give this as `after` to get the rest; None at the end", examples=[None]
    )


class Figure(Model):
    """One KPI of one factory and period; a revision never changes once its period is closed."""

    kpi: str = Field(examples=["oee"])
    period_kind: PeriodKind
    period: Window
    revision: int = Field(description="0 while the period is still open", examples=[1])
    unit: str = Field(description="1 (a ratio), turns, tce or count", examples=["1"])
    point: float | None = Field(description="None where unverifiable 无法核验", examples=[0.746])
    low: float | None = Field(examples=[0.741])
    high: float | None = Field(examples=[0.752])
    coverage: float = Field(description="Share of the period with data, 0 to 1", examples=[0.987])
    grade: Literal["A", "B", "C", "D"] = Field(
        description="A from 95 % coverage, B from 90 %, C from 75 %, else D, unverifiable"
    )
    reason: str | None = Field(
        description="Why there is no point, as a code; plain where it has none",
        examples=["entry_meter_silent"],
    )
    reason_zh: str | None = Field(examples=["进线表 EM01 在统计期内没有数据"])
    reason_en: str | None = Field(examples=["entry meter EM01 has no data in the period"])
    method_version: str = Field(examples=["2026.1"])
    coefficient_version: str = Field(examples=["2026.1"])
    inputs: dict[str, Any] = Field(description="The sums that the point was formed from")
    inputs_sha256: str = Field(description="Their SHA-256 in hexadecimal digits")
    computed_at: datetime


class FigureList(Model):
    """Figures by KPI, kind of period and period."""

    factory: str = Field(examples=["DEMO-M"])
    items: list[Figure]


class Before(Model):
    """Where the factory began 改造前."""

    value: float | None = Field(examples=[0.61])
    basis: Literal["measured", "documented", "declared"] | None = Field(
        description="measured 实测, documented 有凭证, declared only 仅申报"
    )


class KeyEquipment(Model):
    """For how much of the registered key equipment an OEE speaks, by planned busy time."""

    share: float | None = Field(examples=[0.75])
    left_out: list[str] = Field(default=[], description="Codes of equipment", examples=[["R01"]])
    reason: str | None = Field(default=None, description="Why there is no share, as a code")
    reason_zh: str | None = Field(default=None, description="The same in Chinese")
    reason_en: str | None = Field(default=None, description="The same in English")


class Verified(Model):
    """What the factory's own data say 平台核验."""

    point: float | None = Field(description="None where unverifiable", examples=[0.746])
    low: float | None = Field(examples=[0.741])
    high: float | None = Field(examples=[0.752])
    coverage: float = Field(examples=[0.987])
    grade: Literal["A", "B", "C", "D"]
    reason: str | None = Field(
        description="Why there is no point, as a code; plain where it has none",
        examples=["entry_meter_silent"],
    )
    reason_zh: str | None = Field(examples=["进线表 EM01 在统计期内没有数据"])
    reason_en: str | None = Field(examples=["entry meter EM01 has no data in the period"])
    revision: int = Field(examples=[1])
    method_version: str = Field(examples=["2026.1"])
    coefficient_version: str = Field(examples=["2026.1"])
    computed_at: datetime
    key_equipment: KeyEquipment | None = Field(description="Beside OEE only")


class VerdictReason(Model):
    """Why a verdict is unknown, or before and after are not comparable."""

    about: Literal["fulfilment", "consistency"]
    code: str = Field(examples=["ideal_cycles"])
    text: str | None = Field(description="What differs", examples=["M01 1: 60 s → 30 s"])
    zh: str = Field(examples=["理想节拍不同 (M01 1: 60 s → 30 s)"])
    en: str = Field(examples=["other ideal cycles (M01 1: 60 s → 30 s)"])


class Fulfilment(Model):
    """Did the promised change happen? 兑现: (verified − before) / (expected − before)."""

    value: float | None = Field(description="0 is before, 1 is as promised", examples=[0.8])
    low: float | None = Field(examples=[0.77])
    high: float | None = Field(examples=[0.835])
    verdict: FulfilmentWord | None = Field(
        description="None where nothing was promised, or the year begins before renovation"
    )


class Consistency(Model):
    """Is what was reported for this period true? 一致: (reported − verified) / |verified|."""

    deviation: float | None = Field(examples=[0.039])
    verdict: ConsistencyWord | None = Field(description="None where nothing was reported")


class SettledValue(Model):
    """What counts as verified for the verdicts since a dispute was decided; the figure stays."""

    value: float = Field(examples=[0.79])
    low: float = Field(examples=[0.78])
    high: float = Field(examples=[0.80])
    document: str = Field(description="What decided it", examples=["示例函〔2026〕1号"])
    dispute_id: int = Field(examples=[3])
    file_sha256: str | None = Field(description="The paper of the measurement")


class ComparedKpi(Model):
    """One KPI beside its promise and its report, all in the stored unit."""

    kpi: str = Field(examples=["oee"])
    name_zh: str = Field(examples=["设备综合利用率 OEE"])
    name_en: str = Field(examples=["Overall equipment effectiveness"])
    unit: str = Field(examples=["1"])
    better: Literal["up", "down"]
    before: Before
    expected: float | None = Field(description="Promised for after renovation", examples=[0.78])
    self_reported: float | None = Field(
        description="What the factory reports for this period", examples=[0.775]
    )
    verified: Verified | None = Field(description="None before the first computation")
    settled: SettledValue | None = Field(description="What the verdicts take in its place")
    fulfilment: Fulfilment
    consistency: Consistency
    policy_version: str | None = Field(
        description="The dated tolerances that the verdicts were given by", examples=["2026.1"]
    )
    reasons: list[VerdictReason] = Field(description="Empty where both verdicts have a word")
    decided_at: datetime | None


class Comparison(Model):
    """A rolling year of a factory; the two verdicts are never mixed."""

    factory: str = Field(examples=["DEMO-M"])
    period: Window | None = Field(description="None before the first computation")
    periods: list[Window] = Field(description="The rolling years to choose from, newest first")
    items: list[ComparedKpi]


class Change(Model):
    """Something that happened: to a figure of a closed period, to one of the two verdicts on it,
    to a finding, or in the follow-up.
    """

    cursor: int = Field(examples=[1205])
    factory: str = Field(examples=["DEMO-M"])
    what: str = Field(
        description="figure, fulfilment, consistency, finding, finding_cleared, or what the event "
        "of the follow-up is called",
        examples=["fulfilment", "moved"],
    )
    kpi: str | None = Field(
        description="Of a figure or a verdict; else null, as the next two", examples=["oee"]
    )
    period_kind: PeriodKind | None
    period: Window | None = Field(description="Of a finding as well")
    before: dict[str, Any] | None = Field(
        description="None the first time", examples=[{"verdict": "partly", "fulfilment": 0.8}]
    )
    after: dict[str, Any] = Field(
        description="What it is now, or what the event tells",
        examples=[{"verdict": "met", "fulfilment": 0.97}],
    )
    figure_id: int | None = Field(description="The figure it is about", examples=[4711])
    role: str | None = Field(
        description="Of who did what an event tells", examples=["county_officer"]
    )
    changed_at: datetime


class FollowUp(Model):
    """A part of the feed, oldest first."""

    items: list[Change]
    next_cursor: int = Field(description="Give this as `cursor` next time", examples=[1205])
    more: bool = Field(description="True when more is waiting: ask again at once")


class Health(Model):
    """The service runs and its database answers."""

    status: Literal["ok"]


class Gap(Model):
    """A half-open time without a usable value of one tag."""

    kind: Literal["not_collected", "bad"] = Field(
        description="not_collected: nobody heard of it; bad: it said that it has no value"
    )
    start: datetime
    end: datetime


class TagGaps(Model):
    """One tag in the window; the three kinds of seconds fill it."""

    tag: str = Field(examples=["M01.state"])
    role: str = Field(examples=["state"])
    heartbeat_s: int = Field(description="It speaks for three of these", examples=[900])
    rows: int = Field(description="Rows in the window", examples=[96])
    good_s: float = Field(description="Seconds with a usable value", examples=[82_800.0])
    bad_s: float = Field(description="Seconds with a bad status", examples=[0.0])
    not_collected_s: float = Field(description="Seconds of silence", examples=[3600.0])
    gap_count: int = Field(description="All gaps, named or not", examples=[1])
    gaps: list[Gap] = Field(description="In order of time; of more than 1000 the longest")


class GapReport(Model):
    """The gaps of a factory's tags in a half-open window."""

    factory: str = Field(examples=["DEMO-M"])
    start: datetime
    end: datetime
    items: list[TagGaps]
