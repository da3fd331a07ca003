"""The words of the two verdicts: fulfilment 兑现 of the promise, consistency 一致 of the report.

Neither is given on too little data, nor where the bounds of the figure reach to both sides of
what decides; then the word is unknown 无法核验 and says why.
"""

from dataclasses import dataclass
from typing import Literal

from kpi.policy import Policy, Tolerance

Reason = Literal[
    "no_figure", "no_baseline", "no_promise", "no_change", "no_report", "coverage", "bounds"
]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Verified:
    """A verified figure with its bounds; point None means that it could not be verified."""

    point: float | None
    low: float | None
    high: float | None
    coverage: float = 1.0


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """Share of the promised change: 0 is before, 1 is as promised; the verdict, and why unknown."""

    share: float | None
    low: float | None
    high: float | None
    verdict: str
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Consistency:
    """(reported - verified) / |verified|, the verdict, and why it is unknown."""

    deviation: float | None
    verdict: str
    reason: Reason | None = None


def fulfilment(
    before: float | None,
    expected: float | None,
    verified: Verified,
    policy: Policy,
    measured: Verified | None = None,
) -> Fulfilment:
    """Judge the promised change: (verified - before) / (expected - before).

    The share has no unit and one direction for all KPIs. Its bounds are those of what was verified
    and of what was `measured` before, where that was; what was declared has none. Both bounds must
    lie on one side of 95 % (`met_from`): on the upper side it is over where the low bound reaches
    105 %, else met; on the lower side it is worse where the high bound lies below 0, partly where
    the point reaches 50 %, else missed. Where no change was promised no share exists.
    """
    if verified.point is None or verified.low is None or verified.high is None:
        return Fulfilment(None, None, None, "unknown", "no_figure")
    if before is None or expected is None:
        return Fulfilment(
            None, None, None, "unknown", "no_promise" if expected is None else "no_baseline"
        )
    if abs(expected - before) < _ROUNDING:
        return Fulfilment(None, None, None, "unknown", "no_change")

    point = (verified.point - before) / (expected - before)
    begins = _begins(before, measured)
    if min(begins) - _ROUNDING < expected < max(begins) + _ROUNDING:
        return Fulfilment(point, None, None, "unknown", "bounds")
    # Beside what was promised a share only rises or only falls with where it begins.
    shares = [
        (end - begin) / (expected - begin)
        for end in (verified.low, verified.high)
        for begin in begins
    ]
    low, high = min(shares), max(shares)
    coverage = min(verified.coverage, 1.0 if measured is None else measured.coverage)
    if coverage < policy.least_coverage - _ROUNDING:
        return Fulfilment(point, low, high, "unknown", "coverage")
    word = _fulfilment_word(point, low, high, policy)
    return Fulfilment(point, low, high, word or "unknown", None if word else "bounds")


def _begins(before: float, measured: Verified | None) -> tuple[float, float]:
    if measured is None or measured.low is None or measured.high is None:
        return before, before
    return measured.low, measured.high


def _fulfilment_word(point: float, low: float, high: float, policy: Policy) -> str | None:
    if low >= policy.met_from - _ROUNDING:
        return "over" if low >= policy.over_from - _ROUNDING else "met"
    if high >= policy.met_from - _ROUNDING:
        return None
    if high < -_ROUNDING:
        return "worse"
    return "partly" if point >= policy.partly_from - _ROUNDING else "missed"


def consistency(
    reported: float | None, verified: Verified, tolerance: Tolerance, policy: Policy
) -> Consistency:
    """Judge a self-report against the verified figure of the same period.

    What it may differ by is the larger of the policy's tolerance and the width of the bounds: a
    measurement cannot blame a report for less than its own doubt. same: both bounds lie within
    that of the report; off or false: neither does; false, upon which a person opens a case, where
    also the nearer bound is further off than 10 % (`off_within`) and than twice the tolerance.
    """
    if verified.point is None or verified.low is None or verified.high is None:
        return Consistency(None, "unknown", "no_figure")
    if reported is None:
        return Consistency(None, "unknown", "no_report")
    point, low, high = verified.point, verified.low, verified.high
    deviation = (reported - point) / abs(point) if point else None
    if verified.coverage < policy.least_coverage - _ROUNDING:
        return Consistency(deviation, "unknown", "coverage")
    slack = _ROUNDING * max(abs(point), 1.0)
    allowed = max(tolerance.around(point), high - low) + slack
    if reported - allowed <= low and high <= reported + allowed:
        return Consistency(deviation, "same")
    if reported - allowed <= high and low <= reported + allowed:
        return Consistency(deviation, "unknown", "bounds")
    beyond = max(low - reported, reported - high)
    most = max(policy.off_within * abs(point), 2 * tolerance.around(point)) + slack
    return Consistency(deviation, "off" if beyond <= most else "false")
