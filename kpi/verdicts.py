"""The two verdicts, never mixed: fulfilment 兑现 of the promise, consistency 一致 of the report."""

from dataclasses import dataclass

OVER_FROM, MET_FROM, PARTLY_FROM = 1.05, 0.95, 0.50
SAME_WITHIN, OFF_WITHIN = 0.03, 0.10

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Verified:
    """A verified figure with its bounds; point None means that it could not be verified."""

    point: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """Share of the promised change: 0 is before, 1 is as promised; and the verdict."""

    share: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Consistency:
    """(reported - verified) / |verified|, and the verdict."""

    deviation: float | None
    verdict: str


def fulfilment(before: float | None, expected: float | None, verified: Verified) -> Fulfilment:
    """Judge the promised change: (verified - before) / (expected - before).

    The share has no unit and one direction for all KPIs. over: the low bound reaches 105 %;
    met: the high bound reaches 95 %; worse: the high bound lies below 0; partly: the point
    reaches 50 %; else missed. Without baseline, promise or verified figure it is unknown, and so
    it is where no change was promised, since no share of nothing exists.
    """
    if verified.point is None or verified.low is None or verified.high is None:
        return Fulfilment(None, None, None, "unknown")
    if before is None or expected is None or abs(expected - before) < _ROUNDING:
        return Fulfilment(None, None, None, "unknown")

    def share(value: float) -> float:
        return (value - before) / (expected - before)

    low, high = sorted((share(verified.low), share(verified.high)))
    point = share(verified.point)
    return Fulfilment(point, low, high, _fulfilment_word(point, low, high))


def _fulfilment_word(point: float, low: float, high: float) -> str:
    if low >= OVER_FROM - _ROUNDING:
        return "over"
    if high >= MET_FROM - _ROUNDING:
        return "met"
    if high < -_ROUNDING:
        return "worse"
    return "partly" if point >= PARTLY_FROM - _ROUNDING else "missed"


def consistency(reported: float | None, verified: Verified) -> Consistency:
    """Judge a self-report against the verified figure of the same period.

    same: inside the bounds or within 3 % of the point; off: within 10 %; else false, upon which
    a person opens a case. Without a report or a verified figure it is unknown.
    """
    if reported is None or verified.point is None or verified.low is None or verified.high is None:
        return Consistency(None, "unknown")
    gap = reported - verified.point
    inside = verified.low - _ROUNDING <= reported <= verified.high + _ROUNDING
    if verified.point == 0:
        return Consistency(None, "same" if inside else "false")
    deviation = gap / abs(verified.point)
    if inside or abs(deviation) <= SAME_WITHIN + _ROUNDING:
        return Consistency(deviation, "same")
    return Consistency(deviation, "off" if abs(deviation) <= OFF_WITHIN + _ROUNDING else "false")
