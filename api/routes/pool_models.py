"""What the REST interface of the follow-up answers with and takes."""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from api.problems import PossibleStep
from api.routes.models import Model
from store.proposals import Proposal as StoredProposal

Value = StrictBool | StrictInt | float | StrictStr

_COMMENT = 2000
_SHA256 = r"^[0-9a-f]{64}$"


class Given(Model):
    """What a client sends: blanks around texts do not count."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _has_no_zero_character(cls, given: Any) -> Any:
        """Refuse what no database keeps in a text."""
        if "\\u0000" in json.dumps(given, default=str):
            raise ValueError("a text must not hold the character U+0000")
        return given


class Membership(Model):
    """Where a factory stands in the pool."""

    factory: str = Field(description="The factory's code", examples=["DEMO-M"])
    name_zh: str = Field(examples=["示例一号工厂"])
    name_en: str = Field(examples=["Sample plant 1"])
    region: str = Field(description="Code of the county or zone", examples=["320613"])
    state: str = Field(examples=["watch"])
    state_zh: str = Field(examples=["预警关注"])
    state_en: str = Field(examples=["Warned"])
    final: bool = Field(description="Nobody leaves this state")
    version: int = Field(description="Rises with every step", examples=[3])
    since: datetime = Field(description="When the state was entered")
    entered_on: date
    deadline: date | None = Field(description="The last day of the term that runs")
    deadline_ends_at: datetime | None = Field(description="24:00 of that day in the city")
    deadline_estimated: bool = Field(
        description="True where working days of a year without a known calendar lie in the term"
    )
    extensions: int = Field(description="How often the term was extended")
    reviewed_on: date | None = Field(description="When the last review was passed")
    left_on: date | None


class MembershipList(Model):
    """Memberships in the order of the factories' codes."""

    items: list[Membership]
    next_after: str | None = Field(
        description="Give this as `after` to get the rest; None at the end", examples=[None]
    )


class OpenWarning(Model):
    """A warning that was not cleared, with the numbers that fired it."""

    rule: str = Field(examples=["completeness"])
    subject: str = Field(description="A KPI, report or gateway; empty for the whole factory")
    since: date
    numbers: dict[str, Any] = Field(examples=[{"share": 0.71}])


class WaitingRequest(Model):
    """A step that was asked for and waits for a second person."""

    request_id: int = Field(examples=[7])
    transition: str = Field(examples=["leave"])
    asked_by: str = Field(examples=["示例经办"])
    role: str = Field(examples=["ent_approver"])
    asked_at: datetime
    comment: str = Field(examples=["企业战略调整"])


class MembershipDetail(Model):
    """A membership with all that can be done now, and why not where it cannot."""

    membership: Membership
    steps: list[PossibleStep]
    request: WaitingRequest | None
    warnings: list[OpenWarning]
    lifecycle_id: str = Field(description="The version of the state machine")
    policy_id: str = Field(description="Names all values of the policy together")


class TakenStep(Model):
    """A step that was taken, with what it was decided under."""

    version: int = Field(examples=[2])
    transition: str = Field(examples=["warn"])
    from_state: str | None = Field(description="None where the factory entered the pool")
    to_state: str = Field(examples=["watch"])
    at: datetime
    by: str = Field(description="Who took it", examples=["system"])
    role: str = Field(examples=["system"])
    comment: str = Field(examples=["数据完整率 71 %"])
    deadline: date | None
    lifecycle_id: str = Field(description="The version of the state machine")
    policy_id: str = Field(description="Names all values of the policy together")
    situation: dict[str, Any] = Field(description="The numbers that it was decided on")
    documents: list[str] = Field(description="Letters that it makes", examples=[["warning_notice"]])


class StepList(Model):
    """The steps of the newest stay in the pool, oldest first."""

    items: list[TakenStep]


class NewStep(Given):
    """A step to take; one against the enterprise needs a comment."""

    transition: str = Field(max_length=40, examples=["order_rectification"])
    comment: str = Field(default="", max_length=_COMMENT, examples=["预警期满未消除"])


class Decision(Given):
    """Whether what somebody else asked for is confirmed; declining needs a comment."""

    confirmed: StrictBool = Field(examples=[True])
    comment: str = Field(default="", max_length=_COMMENT, examples=["同意"])


class StepDecision(Decision):
    """The same of a step; a request may be taken back and another made before it arrives."""

    request_id: int | None = Field(
        default=None,
        description="The request that it is about; refused where another waits by now",
        examples=[4],
    )


class TakenBack(Given):
    """Why somebody takes back what they proposed, if they say so."""

    comment: str = Field(default="", max_length=_COMMENT, examples=["另行研究"])


class Moved(Model):
    """What became of a step."""

    membership: Membership
    request_id: int | None = Field(
        description="Number of the request that waits for its confirmation; None where it moved"
    )


class NewEvidence(Given):
    """A piece of evidence to record; what `data` holds depends on the kind."""

    kind: str = Field(max_length=40, examples=["site_check"])
    happened_on: date
    data: dict[str, Value] = Field(default={}, max_length=20, examples=[{"passed": True}])
    note: str = Field(default="", max_length=_COMMENT, examples=["现场设备已联网"])
    people: list[str] = Field(
        default=[], max_length=20, description="Names of those who were there"
    )
    accounts: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(
        default=[], max_length=20, description="Accounts of them: these do not decide on it"
    )
    file_sha256: str | None = Field(default=None, pattern=_SHA256, description="A file of it")


class EvidenceItem(Model):
    """A piece of evidence that was recorded and not withdrawn."""

    item_id: int = Field(examples=[12])
    kind: str = Field(examples=["site_check"])
    happened_on: date
    data: dict[str, Value] = Field(examples=[{"passed": True}])
    note: str = Field(examples=["现场设备已联网"])
    people: list[str] = Field(description="Names of those who were there")
    recorded_by: str = Field(examples=["示例经办"])
    role: str = Field(examples=["county_officer"])
    at: datetime
    current: bool = Field(description="Recorded in the present state, so that guards look at it")
    file_sha256: str | None = Field(description="A file of it")
    file_name: str | None = Field(description="The name that the file came with")


class EvidenceList(Model):
    """The evidence of the newest stay in the pool, oldest first."""

    items: list[EvidenceItem]


class Recorded(Model):
    """The number of what was recorded."""

    item_id: int = Field(examples=[12])


class Withdrawal(Given):
    """Why a piece of evidence is withdrawn."""

    reason: str = Field(min_length=1, max_length=_COMMENT, examples=["误录"])


class TakenFile(Model):
    """A file that was kept; evidence names it by its hash."""

    sha256: str = Field(description="SHA-256 of its bytes")
    media_type: str = Field(description="By what it holds", examples=["application/pdf"])
    size: int = Field(description="In bytes", examples=[48213])


class PolicyValue(Model):
    """What holds for one key today."""

    key: str = Field(examples=["watch.clear_within"])
    zh: str = Field(examples=["预警关注的消除期限"])
    en: str = Field(examples=["Time in which the cause of a warning is to be removed"])
    unit: str = Field(examples=["d"])
    value: Value = Field(examples=[30])
    default: Value = Field(examples=[30])
    settled: bool = Field(description="False where the bureau has not set it 待发布办法")
    valid_from: date | None = Field(description="None of a default")
    source: str = Field(examples=["建议值：预警后 30 天内消除"])
    kind: Literal["notice", "practice", "proposal"] = Field(description="Of the default")
    least: float | None = Field(description="The least value that may be set")
    most: float | None = Field(description="The largest value that may be set")


class Policy(Model):
    """All values of the follow-up today."""

    policy_id: str = Field(description="Names all values together")
    day: date
    items: list[PolicyValue]


class NewProposal(Given):
    """A value to set from a day on, by the document that says so."""

    key: str = Field(max_length=80, examples=["watch.clear_within"])
    value: Value = Field(examples=[45])
    valid_from: date
    source: str = Field(min_length=1, max_length=500, examples=["示例管理办法第八条"])


class WhatBecame(Model):
    """From when a proposal would hold, by which document, and what became of it."""

    valid_from: date
    source: str = Field(examples=["示例管理办法第八条"])
    proposed_by: str = Field(examples=["示例经办"])
    proposed_at: datetime
    outcome: Literal["confirmed", "declined", "withdrawn"] | None = Field(
        description="None while it waits"
    )
    decided_by: str | None = Field(description="Who proposed it withdraws it; others decide")
    decided_at: datetime | None
    answer: str | None = Field(description="Why it was declined or withdrawn")


def what_became(found: StoredProposal) -> dict[str, Any]:
    """Return what `WhatBecame` says of a proposal."""
    return {
        "valid_from": found.valid_from,
        "source": found.source,
        "proposed_by": found.actor,
        "proposed_at": found.proposed_at,
        "outcome": found.outcome,
        "decided_by": found.decided_by,
        "decided_at": found.decided_at,
        "answer": found.answer,
    }


class Proposal(WhatBecame):
    """A value that somebody proposed, and what became of it."""

    value_id: int = Field(examples=[3])
    key: str = Field(examples=["watch.clear_within"])
    value: Value = Field(examples=[45])


class ProposalList(Model):
    """What was ever proposed, newest first."""

    items: list[Proposal]


class MachineState(Model):
    """A state of membership."""

    code: str = Field(examples=["watch"])
    zh: str = Field(examples=["预警关注"])
    en: str = Field(examples=["Warned"])
    colour: str = Field(examples=["yellow"])
    final: bool = Field(description="Nobody leaves this state")


class MachineStep(Model):
    """A step between states."""

    transition: str = Field(examples=["warn"])
    sources: list[str] = Field(description="States that it leaves", examples=[["cultivating"]])
    to: str = Field(examples=["watch"])
    zh: str = Field(examples=["自动预警"])
    en: str = Field(examples=["Warn"])
    who: list[str] = Field(description="Roles", examples=[["system"]])
    guards: list[str] = Field(description="What must hold", examples=[["warned"]])
    deadline: str | None = Field(description="Policy key of the term that begins")
    documents: list[str] = Field(description="Letters that it makes")
    adverse: bool = Field(description="A comment is mandatory")
    confirmed_by: list[str] = Field(description="Roles of the second person")
    source: str = Field(examples=["建议：预警期满未消除"])


class Machine(Model):
    """The state machine in force."""

    lifecycle_id: str = Field(description="Its version")
    initial: str = Field(examples=["cultivating"])
    states: list[MachineState]
    steps: list[MachineStep]
