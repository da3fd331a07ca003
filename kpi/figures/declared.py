"""Rows of the effect table that machines know only in part: robots, retrofits, people, projects.

Each figure says its basis: measured (by what was sent), documented (a paper of somebody else shows
it), declared (only the factory says so). What is only declared stays unverifiable, with the value
and its document beside the reason.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from math import inf
from statistics import fmean, median
from typing import Any

from kpi.calendar import months
from kpi.figures.basis import Estimate, Evidence, Period, bounded, refused
from kpi.figures.identity import distinct
from kpi.figures.people import Project
from kpi.reasons import Reason, because
from store.registry import Asset, Declaration

HEARD_DAYS = 30
LEAST_PROJECTS = 3
# A paper is no measurement: what rests on one is graded B at best.
DOCUMENTED_COVERAGE = 0.90


def robots(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return how many robots there are: registered, with a serial number of their own, heard of.

    Heard of means at least once in the last 30 days of the period. Of the same serial number one
    counts.
    """
    registered = [asset for asset in evidence.plan.assets if asset.kind == "robot"]
    window = _last_days(evidence, period)
    inputs: dict[str, Any] = {
        "basis": "measured",
        "registered": len(registered),
        "window": [day.isoformat() for day in window],
    }
    if not registered:
        reason = because("no_robot")
        return [refused("robots", "count", 0.0, reason, **inputs)]
    if not anything_heard(evidence, window):
        reason = because("factory_silent", days=HEARD_DAYS)
        return [refused("robots", "count", 0.0, reason, **inputs)]
    heard = distinct(_heard(evidence, registered, window))
    inputs["heard"] = sorted(asset.code for asset in heard)
    return [_exact("robots", len(heard), 1.0, inputs)]


def retrofits(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return the retrofitted key equipment and the lines that it stands on.

    Counted is key equipment whose plan names the day of the retrofit, before the period's end, and
    the document of its acceptance, and that was heard of in the last 30 days. A line counts with
    the first of its key equipment that counts.
    """
    window = _last_days(evidence, period)
    dated = [
        asset
        for asset in evidence.plan.assets
        if asset.key_equipment and asset.retrofitted_on and asset.retrofitted_on < period.end
    ]
    documented = [asset for asset in dated if asset.retrofit_document]
    heard = distinct(_heard(evidence, documented, window))
    inputs: dict[str, Any] = {
        "basis": "documented",
        "counted": {asset.code: str(asset.retrofit_document) for asset in heard},
        "without_document": sorted({asset.code for asset in dated if not asset.retrofit_document}),
        "not_heard": sorted({asset.code for asset in documented} - {each.code for each in heard}),
        "window": [day.isoformat() for day in window],
    }
    lines = sorted({asset.line for asset in heard if asset.line})
    found = []
    for kpi, count in (("retrofitted_lines", len(lines)), ("retrofitted_equipment", len(heard))):
        if count:
            given = inputs | ({"lines": lines} if kpi == "retrofitted_lines" else {})
            found.append(_exact(kpi, count, DOCUMENTED_COVERAGE, given))
        else:
            reason = _no_retrofit(dated, documented, heard)
            found.append(_declared(evidence, period, kpi, "count", reason))
    return found


def _no_retrofit(
    dated: Sequence[Asset], documented: Sequence[Asset], heard: Sequence[Asset]
) -> Reason:
    if not dated:
        return because("no_retrofit_day")
    if not documented:
        return because("no_retrofit_document")
    if not heard:
        return because("no_retrofit_heard")
    return because("no_retrofit_line")


def headcount(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return the people employed: the mean of the month-ends of the period.

    Every month has to be there: nothing bounds the people of a month that nobody reported.
    """
    known = evidence.business.employees
    starts = [start for start, _ in months(period.start, period.end)]
    missing = [f"{start:%Y-%m}" for start in starts if start not in known]
    if missing:
        reason = because("headcount_missing", months=missing)
        return [_declared(evidence, period, "headcount", "count", reason)]
    by_month = {f"{start:%Y-%m}": known[start] for start in starts}
    point = fmean(by_month.values())
    inputs = {"basis": "measured", "month_ends": by_month}
    return [bounded("headcount", "count", 1.0, (point, point, point), **inputs)]


def rd_cycle(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return the median days from approval to the first mass-production release.

    Counted are the projects released in the period, three at least; all are listed, as are those
    that were given up in it. A project that cannot be read may have taken any time.
    """
    released = _between(evidence.business.projects, period)
    aside = [
        each
        for each in evidence.business.unreadable
        if each.kind == "rd_project" and period.start <= each.day < period.end
    ]
    cancelled = [
        each.key
        for each in evidence.business.projects
        if each.cancelled and period.start <= each.cancelled < period.end
    ]
    if len(released) < LEAST_PROJECTS:
        reason = because("too_few_projects", count=len(released), least=LEAST_PROJECTS)
        return [_declared(evidence, period, "rd_cycle", "d", reason)]
    days = [float(each.days or 0) for each in released]
    inputs = {
        "basis": "measured",
        "projects": {each.key: each.days for each in released},
        "classes": sorted({each.product_class or "" for each in released}),
        "cancelled": sorted(cancelled),
        "set_aside": sorted(each.key for each in aside),
    }
    coverage = evidence.link_coverage(period.start, period.end)
    coverage *= len(days) / (len(days) + len(aside))
    # Below a coverage of one half no bound would be finite; then there is no number anyhow.
    low, high = (median(days + [end] * len(aside)) for end in (0.0, inf))
    if high == inf:
        reason = because("projects_unreadable", count=len(aside))
        return [refused("rd_cycle", "d", coverage, reason, **inputs)]
    return [bounded("rd_cycle", "d", coverage, (low, median(days), high), **inputs)]


def _between(projects: Sequence[Project], period: Period) -> list[Project]:
    return [
        each for each in projects if each.released and period.start <= each.released < period.end
    ]


def _declared(evidence: Evidence, period: Period, kpi: str, unit: str, why: Reason) -> Estimate:
    """Fall back on what the factory declares: with another's document a number, else none."""
    held = [
        each for each in evidence.plan.declarations if each.kpi == kpi and each.since < period.end
    ]
    if not held:
        return refused(kpi, unit, 0.0, because("nothing_declared", because=why))
    newest: Declaration = max(held, key=lambda each: each.since)
    inputs = {
        "basis": newest.basis,
        "declared": newest.value,
        "since": newest.since.isoformat(),
        "document": newest.document,
        "not_measured": why,
    }
    if newest.basis != "documented":
        reason = because("only_declared", because=why, value=newest.value, document=newest.document)
        return refused(kpi, unit, 0.0, reason, **inputs)
    bounds = (newest.value, newest.value, newest.value)
    return bounded(kpi, unit, DOCUMENTED_COVERAGE, bounds, **inputs)


def _exact(kpi: str, count: int, coverage: float, inputs: dict[str, Any]) -> Estimate:
    return bounded(kpi, "count", coverage, (float(count),) * 3, **inputs)


def _last_days(evidence: Evidence, period: Period) -> tuple[date, date]:
    end = min(period.end, evidence.today + timedelta(days=1))
    return end - timedelta(days=HEARD_DAYS), end


def _heard(evidence: Evidence, assets: Sequence[Asset], window: tuple[date, date]) -> list[Asset]:
    known_s = evidence.sums(assets, *window)["known_s"]
    return [asset for asset, seconds in zip(assets, known_s, strict=True) if seconds > 0]


def anything_heard(evidence: Evidence, window: tuple[date, date]) -> bool:
    """Tell whether anything at all was heard of the factory on some days."""
    return bool(_heard(evidence, evidence.plan.assets, window))
