"""What the pictures show: words and shown values; nothing here depends on how they are drawn."""

from dataclasses import dataclass

from api.verdicts import Tone


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict as its word, its shape (an SVG path in the square from -1 to 1) and its tone."""

    word: str
    shape: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class FulfilmentRow:
    """One KPI on the common axis: point, low and high are 0 at before and 1 as promised."""

    label: str
    unit: str
    before: str
    expected: str
    reported: str
    verified: str
    grade: str
    point: float | None
    low: float | None
    high: float | None
    fulfilment: Judgement
    consistency: Judgement | None
    # Stands on the axis where there is no point, so that none is never read as zero.
    note: str


@dataclass(frozen=True, slots=True)
class FulfilmentWords:
    """The fixed texts of the fulfilment picture."""

    before: str
    expected: str
    reported: str
    verified: str
    grade: str
    fulfilment: str
    consistency: str
    legend_verified: str
    legend_scale: str
    legend_short: str


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """The fulfilment picture of one factory and rolling year."""

    description: str
    words: FulfilmentWords
    rows: tuple[FulfilmentRow, ...]
    narrow: bool = False
    has_legend: bool = True


@dataclass(frozen=True, slots=True)
class MonthPoint:
    """One month; `month` counts months since year 0, values are as shown."""

    month: int
    point: float | None
    low: float | None
    high: float | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class MonthRunWords:
    """The fixed texts of the month run."""

    baseline: str
    verification: str
    renovated: str
    before: str
    expected: str
    unverifiable: str


@dataclass(frozen=True, slots=True)
class MonthRun:
    """One KPI month by month; windows are half-open in months since year 0."""

    description: str
    words: MonthRunWords
    months: tuple[MonthPoint, ...]
    baseline: tuple[int, int]
    verification: tuple[int, int] | None
    renovated: int
    before: float | None
    expected: float | None
    decimals: int
    narrow: bool = False
