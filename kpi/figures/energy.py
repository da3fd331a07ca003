"""Standard coal of a site from its entry meters (GB/T 2589-2020)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from kpi.energy.amounts import Amount
from kpi.energy.coefficients import Choice, Factor, factor, is_medium
from kpi.errors import NotComputable
from kpi.figures.basis import Estimate, Evidence, Period, bounded, refused
from kpi.figures.bills import billed_factor
from kpi.figures.energy_meters import Boundary, Flow, boundary, checks, coverage, flows
from kpi.formulas.energy import KG_PER_T, EnergyItem, standard_coal
from kpi.reasons import because
from store.registry import EnergyFactor

_CALORIFIC = Choice("calorific")
PURCHASED, WITH_MEDIA = "standard_coal_purchased", "standard_coal_with_media"


@dataclass(frozen=True, slots=True)
class Line:
    """What one flow adds, with the factor that it was converted with."""

    flow: Flow
    factor: Factor

    @property
    def tce(self) -> Amount:
        """Return the flow in standard coal [tce]."""
        return self.flow.amount.times(self.factor.kgce_per_unit, KG_PER_T)


def energy(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return standard coal on the calorific 当量 and on the equivalent 等价 basis [tce].

    Only entry meters (level 1) and stock form the total: import - export + own generation + what
    was taken from stock. Hours that readings do not span are estimated at the mean of the others
    in the point, at nothing in the low bound and at the meter's largest rate in the high one;
    hours bridged by the register are exact, but for a gap over an end of the period.

    A site with own renewables has a figure without them too, one with purchased media a figure
    with these: which of them counts is policy.
    """
    site = boundary(evidence, media=False)
    equivalent = Choice("equivalent", evidence.plan.energy.equivalent)
    found = [
        _standard_coal(evidence, period, "standard_coal", site, _CALORIFIC),
        _standard_coal(evidence, period, "standard_coal_equivalent", site, equivalent),
    ]
    meters = evidence.plan.energy
    if any(meters.meter(asset.asset_id).origin == "own_renewable" for asset in site.entries):
        found.append(_standard_coal(evidence, period, PURCHASED, site, _CALORIFIC))
    media = boundary(evidence, media=True)
    if any(is_medium(asset.carrier or "") for asset in media.entries):
        found.append(_standard_coal(evidence, period, WITH_MEDIA, media, _CALORIFIC))
    return found


def total(evidence: Evidence, period: Period) -> tuple[Amount, float]:
    """Return standard coal on the calorific basis [tce] and its coverage.

    Raises NotComputable.
    """
    site = boundary(evidence, media=False)
    heard = coverage(evidence, period, site.entries)
    return _used(_lines(evidence, period, site, _CALORIFIC)), heard


def _standard_coal(
    evidence: Evidence, period: Period, kpi: str, site: Boundary, choice: Choice
) -> Estimate:
    heard = 0.0
    try:
        heard = coverage(evidence, period, site.entries)
        lines = _lines(evidence, period, site, choice)
        total = _without_own(lines) if kpi == PURCHASED else _used(lines)
    except NotComputable as refusal:
        return refused(kpi, "tce", heard, refusal.reason)
    inputs = _inputs(evidence, period, site, lines, choice)
    return bounded(kpi, "tce", heard, (total.low, total.point, total.high), **inputs)


def _lines(evidence: Evidence, period: Period, site: Boundary, choice: Choice) -> list[Line]:
    return [
        Line(flow, factor(_stated(evidence, flow), flow.carrier, flow.unit, flow.first, choice))
        for flow in flows(evidence, period, site.entries, choice)
    ]


def _stated(evidence: Evidence, flow: Flow) -> list[EnergyFactor]:
    """Return what the plan and the invoices say of factors; the plan's measurements go first."""
    billed = billed_factor(evidence.business.bills, flow.carrier, flow.first, flow.end)
    return [*evidence.plan.energy_factors, *([billed] if billed is not None else [])]


def _used(lines: Sequence[Line]) -> Amount:
    """Return what the site used [tce]; more out than in is impossible."""
    point = standard_coal(
        EnergyItem(line.flow.carrier, line.flow.amount.point, line.factor.kgce_per_unit)
        for line in lines
    ).tce
    low, high = (fsum(getattr(line.tce, side) for line in lines) for side in ("low", "high"))
    return Amount(max(low, 0.0), point, high)


def _without_own(lines: Sequence[Line]) -> Amount:
    """Return purchases net of exports [tce]; of a net exporter they are negative."""
    bought = [line.tce for line in lines if line.flow.origin != "own_renewable"]
    if not bought:
        raise NotComputable(because("nothing_purchased"))
    _used(lines)
    return sum(bought, Amount())


def _inputs(
    evidence: Evidence, period: Period, site: Boundary, lines: Sequence[Line], choice: Choice
) -> dict[str, Any]:
    quantities: dict[str, float] = {}
    for line in lines:
        added = quantities.get(line.flow.carrier, 0.0) + line.flow.amount.point
        quantities[line.flow.carrier] = added
    inputs: dict[str, Any] = {
        "basis": choice.basis,
        "quantities": quantities,
        "factors_kgce": {line.flow.carrier: line.factor.kgce_per_unit for line in lines},
        "lines": [_shown(line) for line in lines],
    }
    if site.uncounted:
        inputs["not_counted"] = dict(site.uncounted)
    if choice.basis == "equivalent" and choice.equivalent == "fixed":
        inputs |= _by_year(evidence, period, site)
    return inputs | checks(evidence, period, site.entries)


def _shown(line: Line) -> Mapping[str, Any]:
    flow = line.flow
    return {
        "carrier": flow.carrier,
        "unit": flow.unit,
        "origin": flow.origin,
        "months": [flow.first.isoformat(), flow.end.isoformat()],
        "quantity": flow.amount.point,
        "kgce_per_unit": line.factor.kgce_per_unit,
        "factor": line.factor.kind,
        "source": line.factor.source,
    }


def _by_year(evidence: Evidence, period: Period, site: Boundary) -> dict[str, Any]:
    """Return the total with each year's own equivalent value, beside the one of a fixed year."""
    try:
        lines = _lines(evidence, period, site, Choice("equivalent", "by_year"))
        total = _used(lines).point
    except NotComputable as refusal:
        return {"by_year": {"reason": refusal.reason}}
    sources = sorted({line.factor.source for line in lines if line.factor.kind == "equivalent"})
    return {"by_year": {"tce": total, "sources": sources}} if sources else {}
