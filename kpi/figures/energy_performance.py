"""Energy for what was made: intensity by output and by value, and the saving against a baseline.

Output is counted in standard hours, Σ good × ideal cycle, since pieces of unlike products do not
add up; the ideal cycles of before and after must be the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum
from typing import Any

from kpi.calendar import months
from kpi.energy.amounts import Amount
from kpi.energy.baseline import Model, fit, saving
from kpi.errors import NotComputable
from kpi.figures.basis import BaselineMonth, Estimate, Evidence, Period, bounded, refused
from kpi.figures.energy import total
from kpi.figures.equipment import oee
from kpi.formulas.energy import KG_PER_T
from kpi.reasons import because
from store.registry import Asset

_LEAST_COVERAGE = 0.90
_YUAN_PER_UNIT = 10_000.0


@dataclass(frozen=True, slots=True)
class _Measured:
    """A quantity with its bounds and the share of the period that it was measured in."""

    amount: Amount
    coverage: float


def performance(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return energy intensity by output and by value, and the saving since the renovation."""
    found = [_by_output(evidence, period)]
    if evidence.business.output_value:
        found.append(_by_value(evidence, period))
    if period.start >= evidence.plan.factory.renovated_on:
        found.append(_saved(evidence, period))
    return found


def _by_output(evidence: Evidence, period: Period) -> Estimate:
    kpi, unit = "energy_intensity", "kgce/h"
    try:
        used, made = _coal(evidence, period), _hours(evidence, period)
        each = _quotient(used.amount.times(KG_PER_T), made.amount, "good output")
    except NotComputable as refusal:
        return refused(kpi, unit, 0.0, refusal.reason)
    inputs: dict[str, Any] = {"tce": used.amount.point, "standard_hours": made.amount.point}
    cycle_s = _only_cycle_s(evidence)
    if cycle_s is not None:
        inputs["kgce_per_piece"] = each.point * cycle_s / 3600
    coverage = min(used.coverage, made.coverage)
    return bounded(kpi, unit, coverage, (each.low, each.point, each.high), **inputs)


def _by_value(evidence: Evidence, period: Period) -> Estimate:
    kpi, unit = "energy_intensity_value", "tce/10k yuan"
    try:
        used = _coal(evidence, period)
        value, price_year = _value(evidence, period)
        each = _quotient(used.amount.times(_YUAN_PER_UNIT), Amount.exactly(value), "output value")
    except NotComputable as refusal:
        return refused(kpi, unit, 0.0, refusal.reason)
    inputs = {"tce": used.amount.point, "value_yuan": value, "price_year": price_year}
    return bounded(kpi, unit, used.coverage, (each.low, each.point, each.high), **inputs)


def _saved(evidence: Evidence, period: Period) -> Estimate:
    """Return what the adjusted baseline predicts for the period's output less what was used."""
    try:
        if period.is_open:
            raise NotComputable(because("month_not_over"))
        model = _model(evidence)
        used = _coal(evidence, period)
        whole = months(period.start, period.end)
        made = [_hours(evidence, Period("month", *each)) for each in whole]
        days = [float((end - start).days) for start, end in whole]
        drivers = [[each.amount.point / count] for each, count in zip(made, days, strict=True)]
        found = saving(model, used.amount.point, drivers, days)
    except NotComputable as refusal:
        return refused("energy_saving", "tce", 0.0, refusal.reason)
    bounds = (
        found.saving - found.uncertainty - (used.amount.high - used.amount.point),
        found.saving,
        found.saving + found.uncertainty + (used.amount.point - used.amount.low),
    )
    inputs = {
        "predicted_tce": found.predicted,
        "measured_tce": found.measured,
        "uncertainty_tce": found.uncertainty,
        "confidence": 0.90,
        "months_outside_baseline": found.outside,
        "model": _shown(model),
    }
    coverage = min([used.coverage, *(each.coverage for each in made)])
    return bounded("energy_saving", "tce", coverage, bounds, **inputs)


def _shown(model: Model) -> dict[str, Any]:
    return {
        "driver": "standard hours of good output",
        "tce_per_day": model.intercept,
        "tce_per_hour": model.slopes[0],
        "months": model.points,
        "cv_rmse": model.cv_rmse,
        "r_squared": model.r_squared,
    }


def _model(evidence: Evidence) -> Model:
    """Return the baseline of the year before; a month that was not measured is no month of it."""
    factory = evidence.plan.factory
    known = evidence.baseline if evidence.baseline is not None else _baseline(_Once(evidence))
    whole = [
        each
        for each in known
        if each.coverage >= _LEAST_COVERAGE
        and each.start >= factory.baseline_from
        and each.end <= factory.baseline_to
    ]
    # Daily means: what runs without output runs longer in a longer month.
    days = [(each.end - each.start).days for each in whole]
    return fit(
        [each.tce / count for each, count in zip(whole, days, strict=True)],
        [[each.standard_hours / count] for each, count in zip(whole, days, strict=True)],
    )


class _Once:
    """Evidence, equal only to itself: it is large and does not change once it was gathered."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    def __hash__(self) -> int:
        return id(self.evidence)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Once) and other.evidence is self.evidence


@lru_cache(maxsize=1)
def _baseline(once: _Once) -> tuple[BaselineMonth, ...]:
    """Return the months of the baseline that facts show; each period of a factory needs them."""
    evidence = once.evidence
    factory = evidence.plan.factory
    found = []
    for start, end in months(factory.baseline_from.replace(day=1), factory.baseline_to):
        each = _by_output(evidence, Period("month", start, end))
        if each.point is not None:
            tce, hours = (float(each.inputs[name]) for name in ("tce", "standard_hours"))
            found.append(BaselineMonth(start, end, tce, hours, each.coverage))
    return tuple(found)


def _coal(evidence: Evidence, period: Period) -> _Measured:
    """Return the standard coal of a period on the calorific basis [tce]."""
    amount, coverage = total(evidence, period)
    return _Measured(amount, coverage)


def _hours(evidence: Evidence, period: Period) -> _Measured:
    """Return the standard hours of good output: OEE times planned time, with its bounds."""
    found = oee(evidence, period)[0]
    if found.low is None or found.point is None or found.high is None:
        raise NotComputable(because("output_unknown", because=found.reason))
    hours = float(found.inputs["planned_s"]) / 3600
    return _Measured(Amount(found.low, found.point, found.high).times(hours), found.coverage)


def _quotient(used: Amount, made: Amount, name: str) -> Amount:
    if made.low <= 0:
        raise NotComputable(because("no_divisor", name=name))
    return Amount(used.low / made.high, used.point / made.point, used.high / made.low)


def _only_cycle_s(evidence: Evidence) -> float | None:
    """Return the ideal cycle of the one product that is made on one machine, else None.

    With several machines nobody knows which of them hand pieces on to each other.
    """
    making: Sequence[Asset] = [asset for asset in evidence.plan.assets if asset.in_oee]
    cycles = [evidence.plan.ideal_cycle_s.get(asset.asset_id, {}) for asset in making]
    return next(iter(cycles[0].values())) if len(cycles) == 1 and len(cycles[0]) == 1 else None


def _value(evidence: Evidence, period: Period) -> tuple[float, int]:
    """Return the output value [yuan] and the year of its constant prices."""
    known = evidence.business.output_value
    wanted = [start for start, _ in months(period.start, period.end)]
    lacking = [f"{start:%Y-%m}" for start in wanted if start not in known]
    if lacking:
        raise NotComputable(because("output_value_missing", months=lacking[:3]))
    years = sorted({price_year for _, price_year in known.values()})
    if len(years) > 1:
        raise NotComputable(because("price_years_differ", first=years[0], last=years[-1]))
    return fsum(known[start][0] for start in wanted), years[0]
