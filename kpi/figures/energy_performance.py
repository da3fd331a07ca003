"""Energy for what was made: intensity by output and by value, and the saving against a baseline.

Output is counted in standard hours, Σ good × ideal cycle, since pieces of unlike products do not
add up; the ideal cycles of before and after must be the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum
from typing import Any

from kpi.calendar import months
from kpi.energy.amounts import Amount
from kpi.energy.baseline import Model, fit, saving
from kpi.errors import NotComputable
from kpi.figures.basis import (
    BaselineMonth,
    DegreeDays,
    Estimate,
    Evidence,
    Period,
    bounded,
    refused,
)
from kpi.figures.energy import total
from kpi.figures.equipment import oee
from kpi.formulas.energy import KG_PER_T
from kpi.reasons import because
from store.registry import Asset

# Which degree days a model takes, as places in DegreeDays.
Columns = tuple[int, ...]

_WEATHER = ("heating_degree_days", "cooling_degree_days")
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
    weather = _degree_days(evidence, period)
    if weather is not None:
        inputs |= dict(zip(_WEATHER, weather, strict=True))
    inputs |= _by_piece(evidence, period, each.point)
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
        used = _coal(evidence, period)
        whole = [Period("month", *each) for each in months(period.start, period.end)]
        made = [_hours(evidence, each) for each in whole]
        weather = [_degree_days(evidence, each) for each in whole]
        model, columns = _model(evidence, None not in weather)
        days = [float((each.end - each.start).days) for each in whole]
        drivers = [
            _drivers(each.amount.point, warmth, count, columns)
            for each, warmth, count in zip(made, weather, days, strict=True)
        ]
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
        "model": _shown(model, columns),
    }
    coverage = min([used.coverage, *(each.coverage for each in made)])
    return bounded("energy_saving", "tce", coverage, bounds, **inputs)


def _shown(model: Model, columns: Columns) -> dict[str, Any]:
    weather = {
        f"tce_per_{_WEATHER[column]}": slope
        for column, slope in zip(columns, model.slopes[1:], strict=True)
    }
    return {
        "driver": "standard hours of good output",
        "tce_per_day": model.intercept,
        "tce_per_hour": model.slopes[0],
        **weather,
        "months": model.points,
        "cv_rmse": model.cv_rmse,
        "r_squared": model.r_squared,
    }


def _model(evidence: Evidence, weather_known: bool) -> tuple[Model, Columns]:
    """Return the baseline of the year before, and which degree days it takes.

    A month that was not measured is no month of it. Degree days count where each month of the
    baseline and of the period has them.
    """
    factory = evidence.plan.factory
    known = evidence.baseline if evidence.baseline is not None else _baseline(_Once(evidence))
    whole = [
        each
        for each in known
        if each.coverage >= _LEAST_COVERAGE
        and each.start >= factory.baseline_from
        and each.end <= factory.baseline_to
    ]
    return _fitted(whole, _varying(whole) if weather_known else ())


def _varying(whole: Sequence[BaselineMonth]) -> Columns:
    """Return the degree days that every month has and that were not the same in all of them."""
    known = [each.degree_days for each in whole if each.degree_days is not None]
    if not known or len(known) < len(whole):
        return ()
    return tuple(column for column in (0, 1) if len({each[column] for each in known}) > 1)


def _fitted(whole: Sequence[BaselineMonth], columns: Columns) -> tuple[Model, Columns]:
    """Fit daily means: what runs without output runs longer in a longer month.

    Energy that falls as the need of heating or cooling rises has another cause; such degree days
    are left out.
    """
    days = [float((each.end - each.start).days) for each in whole]
    model = fit(
        [each.tce / count for each, count in zip(whole, days, strict=True)],
        [
            _drivers(each.standard_hours, each.degree_days, count, columns)
            for each, count in zip(whole, days, strict=True)
        ],
    )
    rising = tuple(
        column for column, slope in zip(columns, model.slopes[1:], strict=True) if slope >= 0
    )
    return (model, columns) if rising == columns else _fitted(whole, rising)


def _drivers(
    hours: float, weather: DegreeDays | None, days: float, columns: Columns
) -> list[float]:
    """Return the daily means of output and of the degree days that count."""
    known = weather or (0.0, 0.0)
    return [hours / days, *(known[column] / days for column in columns)]


def _degree_days(evidence: Evidence, period: Period) -> DegreeDays | None:
    """Return the degree days of a period's months, None where one of them lacks its record."""
    known = evidence.business.degree_days
    wanted = [known.get(start) for start, _ in months(period.start, period.end)]
    found = [each for each in wanted if each is not None]
    if len(found) < len(wanted):
        return None
    return fsum(each[0] for each in found), fsum(each[1] for each in found)


def degree_days_in(inputs: Mapping[str, Any]) -> DegreeDays | None:
    """Return the degree days among the inputs of an energy intensity."""
    heating, cooling = (inputs.get(name) for name in _WEATHER)
    return None if heating is None or cooling is None else (float(heating), float(cooling))


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
            weather = degree_days_in(each.inputs)
            found.append(BaselineMonth(start, end, tce, hours, each.coverage, weather))
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


def _by_piece(evidence: Evidence, period: Period, kgce_per_hour: float) -> dict[str, Any]:
    """Return the energy for a piece of a site that makes one product, else why there is none.

    Pieces are counted where they leave: at the one machine, or at the last machine of each serial
    line that the plan names. Of machines on no line nobody knows which hand pieces on to each
    other, and energy that several products share was metered for none of them.
    """
    making = [asset for asset in evidence.plan.assets if asset.in_oee]
    cycle_s = {each.asset_id: evidence.plan.ideal_cycle_s.get(each.asset_id, {}) for each in making}
    products = {product for cycles in cycle_s.values() for product in cycles}
    if len(products) > 1:
        return {"by_piece": because("pieces_of_several_products", count=len(products))}
    [product] = products
    leaving = _leaving(evidence, making)
    if leaving is None:
        return {"by_piece": because("pieces_of_several_machines", count=len(making))}
    good_s = evidence.produced(making, period.start, period.end)["ideal_good_s"]
    of_asset = {each.asset_id: float(seconds) for each, seconds in zip(making, good_s, strict=True)}
    pieces = fsum(of_asset[number] / cycle_s[number][product] for number in leaving)
    if pieces <= 0:
        return {"by_piece": because("no_divisor", name="good output")}
    return {"kgce_per_piece": kgce_per_hour * fsum(of_asset.values()) / 3600 / pieces}


def _leaving(evidence: Evidence, making: Sequence[Asset]) -> list[int] | None:
    """Return the machines that pieces leave the site from, None where the plan does not say."""
    if len(making) == 1:
        return [making[0].asset_id]
    on_lines = [number for line in evidence.plan.lines for number in line.asset_ids]
    if sorted(on_lines) != sorted(asset.asset_id for asset in making):
        return None
    return [line.last_id for line in evidence.plan.lines]


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
