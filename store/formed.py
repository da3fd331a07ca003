"""A figure in each of its forms: just formed, stored, or waiting beside a settled one."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal

PeriodKind = Literal["month", "rolling12"]


@dataclass(frozen=True, slots=True)
class Formed:
    """What every figure says; point None has a reason, as code and parameters; local dates."""

    kpi: str
    period_kind: PeriodKind
    period_start: date
    period_end: date
    unit: str
    point: float | None
    low: float | None
    high: float | None
    coverage: float
    grade: str
    reason: str | None
    method_version: str
    coefficient_version: str
    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewFigure(Formed):
    """A figure that was just formed."""

    factory_id: int
    inputs_sha256: bytes


@dataclass(frozen=True, slots=True)
class Figure(NewFigure):
    """A stored figure; revision 0 belongs to a period that is still open."""

    figure_id: int
    revision: int
    computed_at: datetime


@dataclass(frozen=True, slots=True)
class Pending(Formed):
    """What a settled figure would be by now."""

    computed_at: datetime


# In the order in which queries return them.
_COLUMNS = (
    *("figure_id", "factory_id", "kpi", "period_kind", "period_start", "period_end", "revision"),
    *("unit", "point", "low", "high", "coverage", "grade", "reason", "method_version"),
    *("coefficient_version", "inputs", "inputs_sha256", "computed_at"),
)


def figure_of(row: Sequence[Any]) -> Figure:
    """Return a figure as its row says it."""
    values = dict(zip(_COLUMNS, row, strict=True))
    return Figure(**values | {"inputs_sha256": bytes(values["inputs_sha256"])})


def said_by(figure: Formed) -> dict[str, Any]:
    """Return what every figure says, by name."""
    return {each.name: getattr(figure, each.name) for each in fields(Formed)}
