"""Judging a factory: both verdicts for each promised KPI and each rolling year since renovation."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import store
from kpi.calendar import months
from kpi.figures import Evidence
from kpi.policy import Policy
from kpi.verdicts.comparability import Differing, basis_of, differences, turned
from kpi.verdicts.words import Consistency, Fulfilment, Verified, consistency, fulfilment
from store import disputes, figures, judged, verdict_bases
from store.registry import Factory

NOT_COMPARABLE = "not_comparable"


def judge(
    conn: store.Connection,
    evidence: Evidence,
    policy: Policy,
    years: Collection[date] | None = None,
) -> None:
    """Decide the verdicts of a factory under a policy; earlier ones are kept beside the new.

    With the first days of some years, only these: those whose figures changed. All of them are
    due when the baseline, a promise, a report or the policy did. Of a promise that was taken back
    the verdicts say so.
    """
    factory = evidence.plan.factory
    starts = _to_judge(factory, evidence.today, years)
    promises = figures.promises(conn, factory.factory_id)
    kpis = _kpis(conn, factory, promises, years)
    reports = {
        (report.kpi, report.period_start, report.period_end): report.value
        for report in judged.reports_of_years(conn, factory.factory_id, kpis, starts)
    }
    settled = {
        (each.kpi, each.period_start, each.period_end): each
        for each in disputes.settled(
            conn, factory.factory_id, kpis, {*starts, factory.baseline_from}
        )
    }
    window = factory.baseline_from, factory.baseline_to
    known = _known(conn, factory, kpis, starts)
    bases = _bases(conn, evidence, known)
    baseline = {
        each.kpi: _as_settled(each, settled.get((each.kpi, *window)))
        for each in known
        if (each.period_start, each.period_end) == window
    }
    decided = []
    for found in known:
        if found.period_start >= factory.renovated_on:
            key = found.kpi, found.period_start, found.period_end
            against = promises.get(found.kpi), reports.get(key)
            verified = _verified(found, settled.get(key))
            before = baseline.get(found.kpi)
            decided.append(_verdict(found, verified, before, against, bases, policy))
    figures.decide_all(conn, factory.factory_id, decided)


def unkept_years(
    conn: store.Connection, factory: Factory, today: date, years: Collection[date] | None = None
) -> list[date]:
    """Return the first days of the years to be judged whose basis was not kept yet."""
    kpis = _kpis(conn, factory, figures.promises(conn, factory.factory_id), years)
    known = _known(conn, factory, kpis, _to_judge(factory, today, years))
    starts = {each.period_start for each in known}
    return sorted(starts - verdict_bases.kept(conn, factory.factory_id, starts).keys())


def _kpis(
    conn: store.Connection,
    factory: Factory,
    promises: Collection[str],
    years: Collection[date] | None,
) -> set[str]:
    """Return the KPIs to be judged; where all years are, also those promised no more."""
    taken_back = judged.kpis_with_promise(conn, factory.factory_id) if years is None else set()
    return {*promises, *taken_back}


def _to_judge(factory: Factory, today: date, years: Collection[date] | None) -> list[date]:
    """Return the first days of the years since the renovation: of some, or of all there may be."""
    if years is None:
        first = factory.renovated_on.replace(day=1)
        years = [start for start, _ in months(first, max(today, first))]
    return sorted(start for start in years if start >= factory.renovated_on)


def _known(
    conn: store.Connection,
    factory: Factory,
    kpis: Collection[str],
    starts: Collection[date],
) -> list[figures.Figure]:
    """Return the figures of the years to be judged and of the year that they are judged by."""
    window = factory.baseline_from, factory.baseline_to
    wanted = {*starts, factory.baseline_from}
    return [
        each
        for each in judged.newest_figures(conn, factory.factory_id, "rolling12", kpis, wanted)
        if each.period_start >= factory.renovated_on
        or (each.period_start, each.period_end) == window
    ]


def _bases(
    conn: store.Connection, evidence: Evidence, known: list[figures.Figure]
) -> Mapping[date, Mapping[str, Any]]:
    """Return what each year rests on by its first day, keeping it of those that are new."""
    factory_id = evidence.plan.factory.factory_id
    kept = verdict_bases.kept(conn, factory_id, {each.period_start for each in known})
    years = {each.period_start: each for each in known if each.period_start not in kept}
    new = {start: basis_of(evidence, each).kept() for start, each in years.items()}
    verdict_bases.keep(conn, factory_id, new)
    return {**kept, **new}


def _as_settled(found: figures.Figure, settled: disputes.Settled | None) -> figures.Figure:
    """Return what was measured before, by what a dispute about that year settled."""
    if settled is None:
        return found
    counts = _verified(found, settled)
    return replace(
        found, point=counts.point, low=counts.low, high=counts.high, coverage=counts.coverage
    )


def _verified(found: figures.Figure, settled: disputes.Settled | None) -> Verified:
    """Return what counts as verified: the figure, or what a dispute about its period settled."""
    if settled is None:
        return Verified(found.point, found.low, found.high, found.coverage)
    # What was measured again rests on no rows whose coverage could be too small.
    return Verified(settled.value, settled.low, settled.high, 1.0)


def _verdict(
    found: figures.Figure,
    verified: Verified,
    baseline: figures.Figure | None,
    against: tuple[figures.Promise | None, float | None],
    bases: Mapping[date, Mapping[str, Any]],
    policy: Policy,
) -> figures.NewVerdict:
    promise, reported = against
    # What the same devices measured before the renovation goes before what was declared.
    measured = None if baseline is None else baseline.point
    declared = None if promise is None else promise.before_value
    expected = None if promise is None else promise.expected_value
    basis = None if promise is None else promise.before_basis
    before = declared if measured is None else measured
    doubt = None if measured is None or baseline is None else _verified(baseline, None)
    kept = fulfilment(before, expected, verified, policy, doubt)
    apart: list[Differing] = []
    if baseline and measured is not None and expected is not None and kept.reason != "no_figure":
        apart = differences(
            (baseline, bases[baseline.period_start]), (found, bases[found.period_start]), policy
        )
        apart += turned(found.kpi, declared, measured, expected)
        kept = Fulfilment(None, None, None, NOT_COMPARABLE) if apart else kept
    true = consistency(reported, verified, policy.tolerance(found.kpi, found.unit), policy)
    return figures.NewVerdict(
        factory_id=found.factory_id,
        kpi=found.kpi,
        period_start=found.period_start,
        period_end=found.period_end,
        figure_id=found.figure_id,
        before_value=before,
        before_basis=basis if measured is None else "measured",
        expected_value=expected,
        reported_value=reported,
        fulfilment=kept.share,
        fulfilment_low=kept.low,
        fulfilment_high=kept.high,
        fulfilment_verdict=kept.verdict,
        deviation=true.deviation,
        consistency_verdict=true.verdict,
        policy_version=policy.version,
        reasons=_reasons(kept, apart, true),
    )


def _reasons(
    kept: Fulfilment, apart: list[Differing], true: Consistency
) -> list[dict[str, str | None]]:
    """Return why there is no word, as (about, code, text); no report needs no reason."""
    found: list[dict[str, str | None]] = [
        {"about": "fulfilment", "code": each.what, "text": each.text} for each in apart
    ]
    if kept.reason is not None:
        found.append({"about": "fulfilment", "code": kept.reason, "text": None})
    if true.reason is not None and true.reason != "no_report":
        found.append({"about": "consistency", "code": true.reason, "text": None})
    return found
