"""What the REST interface of reports and disputes answers with and takes."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.problems import PossibleStep
from api.routes.models import Model
from api.routes.pool_models import Given, Value

_TEXT = 2000
_SHA256 = r"^[0-9a-f]{64}$"

ItemCode = Annotated[str, Field(pattern=r"^[\w.]{1,60}$", examples=["kpi.oee"])]
Comment = Annotated[str, Field(max_length=_TEXT, examples=["人数与社保不符"])]


class Report(Model):
    """A self-report of a quarter, a year, a material change or an accident."""

    report_id: int = Field(examples=[12])
    factory: str = Field(description="The factory's code", examples=["DEMO-M"])
    name_zh: str = Field(examples=["示例一号工厂"])
    name_en: str = Field(examples=["Sample plant 1"])
    kind: Literal["Q", "Y", "CHG", "ACC"] = Field(
        description="Quarter, year, material change, accident"
    )
    kind_zh: str = Field(examples=["季度填报"])
    kind_en: str = Field(examples=["Quarterly report"])
    period_start: date
    period_end: date = Field(description="The day after its last one")
    state: str = Field(examples=["filling"])
    state_zh: str = Field(examples=["填报中"])
    state_en: str = Field(examples=["Being filled in"])
    version: int = Field(description="Rises with every step", examples=[3])
    due_on: date
    due_estimated: bool = Field(
        description="True where working days of a year without a known calendar lie in the term"
    )
    overdue_since: date | None
    opened_at: datetime
    submitted_at: datetime | None


class ReportList(Model):
    """Reports, newest first."""

    items: list[Report]
    next_before: int | None = Field(description="Ask with this as `before` for older ones")


class VerifiedFigure(Model):
    """The figure that the machine filled in, in its stored unit."""

    figure_id: int = Field(examples=[813])
    revision: int = Field(examples=[1])
    unit: str = Field(examples=["1"])
    point: float | None = Field(description="None where it could not be verified")
    low: float | None = Field(description="Its lower bound")
    high: float | None = Field(description="Its upper bound")
    grade: str = Field(examples=["A"])
    told_at: datetime


class ReportItem(Model):
    """One thing that is asked, and what was said of it."""

    item: str = Field(examples=["kpi.oee"])
    zh: str = Field(examples=["设备综合效率"])
    en: str = Field(examples=["OEE"])
    form: str | list[str] = Field(description="count, amount, text, or the words it may be")
    optional: bool = Field(description="May be left out")
    verified: VerifiedFigure | None = Field(description="To be confirmed or disputed")
    stance: Literal["confirmed", "disputed", "given"] | None = Field(description="None: no answer")
    value: Value | None = Field(description="What the report says as it stands")
    last: Value | None = Field(description="What the report before said")
    note: str = Field(description="What was said to it")
    answered: bool = Field(description="Does not hold the report up")
    returned: str | None = Field(description="Why it was returned")


class ReportStep(Model):
    """A step that was taken."""

    version: int = Field(description="Rises with every step")
    step: str = Field(examples=["county_return"])
    from_state: str | None = Field(description="None where it began")
    to_state: str = Field(description="Where it led")
    at: datetime
    by: str = Field(description="Who did it", examples=["示例经办"])
    role: str = Field(examples=["county_officer"])
    comment: str = Field(description="What was said to it")
    items: dict[str, str] = Field(description="Why each of some items was returned")
    due_on: date


class ReportDetail(Model):
    """A report with all that is asked, its history, and what can be done now."""

    report: Report
    to_fill: int = Field(description="本期只需填 N 项: what no machine and no earlier report knows")
    left: int = Field(description="Items that are not answered yet")
    items: list[ReportItem]
    taken: list[ReportStep]
    steps: list[PossibleStep]


class AnswerPast(Model):
    """An answer that was given once."""

    item: str = Field(examples=["staff"])
    stance: str = Field(examples=["given"])
    value: Value | None = Field(description="What was said")
    figure_id: int | None = Field(description="The figure that it is about")
    note: str = Field(description="What was said to it")
    by: str = Field(description="Who did it", examples=["示例经办"])
    at: datetime


class AnswerHistory(Model):
    """Every answer to an item, oldest first."""

    items: list[AnswerPast]


class NewAnswer(Given):
    """What the enterprise says of one item; a confirmed figure needs no value."""

    item: ItemCode
    stance: Literal["confirmed", "disputed", "given"]
    value: Value | None = Field(default=None, examples=[260])
    note: Comment = ""
    figure_id: int | None = Field(
        default=None,
        description="The figure that is confirmed or disputed; refused where it was revised",
        examples=[813],
    )


class NewAnswers(Given):
    """Answers to some items; earlier ones stay on record."""

    answers: list[NewAnswer] = Field(min_length=1, max_length=100)


class NewReportStep(Given):
    """A step of a report; a return names each item with why."""

    step: str = Field(pattern=r"^\w{1,40}$", examples=["county_return"])
    comment: Comment = ""
    items: dict[ItemCode, Comment] = Field(
        default_factory=dict, max_length=100, examples=[{"staff": "与社保人数不符"}]
    )


class NewEventReport(Given):
    """A change or an accident to report."""

    kind: Literal["CHG", "ACC"]
    happened_on: date


class DisputeValue(Model):
    """A figure's revision."""

    figure_id: int = Field(examples=[813])
    revision: int = Field(description="Rises when a closed period is formed again")
    point: float | None = Field(description="None where it could not be verified")
    low: float | None = Field(description="Its lower bound")
    high: float | None = Field(description="Its upper bound")
    coverage: float = Field(description="Share of the time that data cover")
    grade: str = Field(examples=["A"])
    method_version: str = Field(description="By which it was formed", examples=["2026.1"])
    computed_at: datetime


class Dispute(Model):
    """A dispute about a verified figure; values are in the figure's unit."""

    dispute_id: int = Field(examples=[3])
    factory: str = Field(examples=["DEMO-M"])
    kpi: str = Field(examples=["oee"])
    period_kind: str = Field(examples=["rolling12"])
    period_start: date
    period_end: date
    state: str = Field(examples=["raised"])
    state_zh: str = Field(examples=["企业异议"])
    state_en: str = Field(examples=["Disputed by the enterprise"])
    version: int = Field(description="Rises with every step")
    unit: str = Field(examples=["1"])
    claimed: float = Field(description="What the enterprise says instead")
    figure: DisputeValue = Field(description="What is disputed; it stays as it is")
    rerun: DisputeValue | None = Field(description="What the period came out as when run again")
    rerun_difference: float | None = Field(description="Run again less disputed")
    rerun_waits: bool = Field(description="A re-run was asked for and is not finished")
    rerun_state: Literal["none", "queued", "running", "done", "failed"]
    rerun_error: str | None = Field(description="Why the last attempt failed")
    raised_on: date
    due_on: date = Field(description="Until when it could be raised")
    closed_at: datetime | None


class DisputeList(Model):
    """Disputes, newest first."""

    items: list[Dispute]
    next_before: int | None = Field(description="Ask with this as `before` for older ones")


class DisputeStep(Model):
    """A step that was taken; `data` holds its numbers."""

    version: int = Field(description="Rises with every step")
    step: str = Field(examples=["measure"])
    from_state: str | None = Field(description="None where it began")
    to_state: str = Field(description="Where it led")
    at: datetime
    by: str = Field(description="Who did it", examples=["示例经办"])
    role: str = Field(examples=["county_officer"])
    comment: str = Field(description="What was said to it")
    data: dict[str, Value | None] = Field(description="The numbers of the step")
    file_sha256: str | None = Field(description="The paper that shows it")


class DisputeDetail(Model):
    """A dispute with its history and what can be done now."""

    dispute: Dispute
    taken: list[DisputeStep]
    steps: list[PossibleStep]


class NewDispute(Given):
    """A figure to dispute, with a reason and the hash of a file that was handed over."""

    kpi: str = Field(pattern=r"^\w{1,60}$", examples=["oee"])
    period_start: date
    period_kind: Literal["month", "rolling12"] = "rolling12"
    claimed: float = Field(examples=[0.79])
    reason: str = Field(min_length=1, max_length=_TEXT, examples=["计划停机被计为停机"])
    file_sha256: str = Field(pattern=_SHA256, description="Evidence that was handed over")


class NewMeasurement(Given):
    """What was measured again, in the figure's unit."""

    value: float = Field(examples=[0.79])
    low: float = Field(examples=[0.78])
    high: float = Field(examples=[0.80])
    method: str = Field(min_length=1, max_length=_TEXT, examples=["现场连续 72 小时计时"])


class NewDisputeStep(Given):
    """A step of a dispute; which of the rest it needs, the step says."""

    step: str = Field(pattern=r"^\w{1,40}$", examples=["assign"])
    comment: Comment = ""
    side: Literal["county", "verifier"] | None = Field(default=None, description="Who measures")
    verifier_id: int | None = Field(
        default=None, description="Which verifier, where one measures", examples=[7]
    )
    measured: NewMeasurement | None = None
    document: str = Field(default="", max_length=500, examples=["示例函〔2026〕1号"])
    file_sha256: str | None = Field(
        default=None, pattern=_SHA256, description="Of a measurement: the paper that shows it"
    )


class Verifier(Model):
    """Somebody who may be named to measure again."""

    account_id: int = Field(examples=[7])
    name: str = Field(examples=["示例核验员"])


class VerifierList(Model):
    """Who may be named to measure again."""

    items: list[Verifier]
