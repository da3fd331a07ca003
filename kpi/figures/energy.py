"""Standard coal of a site from its entry meters (GB/T 2589-2020)."""

from dataclasses import dataclass

from kpi.errors import NotComputable
from kpi.factors import coefficient, electricity_equivalents
from kpi.figures.basis import Estimate, Evidence, Period, bounded, refused
from kpi.formulas.energy import EnergyItem, standard_coal
from store.registry import Asset

# One year for before and after, so that the grid's progress is not taken for the factory's.
_EQUIVALENT_YEAR = 2020
_CALORIFIC = {"electricity": "electricity_calorific", "heat": "heat_calorific"}


@dataclass(frozen=True, slots=True)
class _Carrier:
    """Quantity of one carrier at the boundary, with bounds, in the carrier's unit."""

    name: str
    low: float
    point: float
    high: float


def energy(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return standard coal on the calorific 当量 and on the equivalent 等价 basis [tce].

    Only entry meters (level 1) form the total. Hours that no pair of readings spans are estimated
    at the mean of the others in the point, at nothing in the low bound and at the meter's largest
    rate in the high one; hours bridged by the register are exact.
    """
    meters = [asset for asset in evidence.plan.assets if asset.level == 1]
    seconds = evidence.seconds(period.start, period.end)
    bases = {"standard_coal": False, "standard_coal_equivalent": True}
    if not meters or seconds == 0:
        return [refused(kpi, "tce", 0.0, "no entry meter is registered") for kpi in bases]
    covered = evidence.sums(meters, period.start, period.end)["energy_hours"] * 3600 / seconds
    coverage = min(float(covered.min()), 1.0)
    if coverage == 0:
        return [refused(kpi, "tce", 0.0, "an entry meter has no data") for kpi in bases]
    carriers = [_carrier(evidence, period, meter, seconds) for meter in meters]
    return [
        _total(evidence, kpi, coverage, carriers, equivalent) for kpi, equivalent in bases.items()
    ]


def _carrier(evidence: Evidence, period: Period, meter: Asset, seconds: float) -> _Carrier:
    by_asset = evidence.sums([meter], period.start, period.end)
    sums = {name: float(each[0]) for name, each in by_asset.items()}
    metered_s = sums["energy_hours"] * 3600
    missing_s = max(seconds - metered_s, 0.0)
    mean = sums["energy"] / metered_s
    most = max(_largest_rate(evidence, meter), mean)
    step = _step(evidence, meter)
    return _Carrier(
        name=meter.carrier or "",
        low=max(sums["energy_low"] - step, 0.0),
        point=sums["energy"] + missing_s * mean,
        high=sums["energy_high"] + missing_s * most + step,
    )


def _step(evidence: Evidence, meter: Asset) -> float:
    """Return by how much the difference of two readings may err: the register's least step."""
    steps = [
        tag.resolution * tag.ratio
        for tag in evidence.plan.tags
        if tag.asset_id == meter.asset_id and tag.role == "energy"
    ]
    return max(steps, default=0.0)


def _largest_rate(evidence: Evidence, meter: Asset) -> float:
    rates = [
        tag.max_rate_per_s * tag.ratio
        for tag in evidence.plan.tags
        if tag.asset_id == meter.asset_id and tag.role == "energy" and tag.max_rate_per_s
    ]
    return max(rates, default=0.0)


def _total(
    evidence: Evidence, kpi: str, coverage: float, carriers: list[_Carrier], equivalent: bool
) -> Estimate:
    try:
        factors = {
            carrier.name: _factor(evidence, carrier.name, equivalent) for carrier in carriers
        }
    except NotComputable as refusal:
        return refused(kpi, "tce", coverage, refusal.reason)

    def total(side: str) -> float:
        items = [
            EnergyItem(carrier.name, getattr(carrier, side), factors[carrier.name])
            for carrier in carriers
        ]
        return standard_coal(items).tce

    quantities: dict[str, float] = {}
    for carrier in carriers:
        quantities[carrier.name] = quantities.get(carrier.name, 0.0) + carrier.point
    return bounded(
        kpi,
        "tce",
        coverage,
        (total("low"), total("point"), total("high")),
        quantities=quantities,
        factors_kgce=factors,
    )


def _factor(evidence: Evidence, carrier: str, equivalent: bool) -> float:
    """Return kgce per unit: a certified value goes before the reference table."""
    for certified in evidence.plan.energy_factors:
        if certified.carrier == carrier:
            return certified.kgce_per_unit
    if carrier == "electricity" and equivalent:
        return electricity_equivalents()[_EQUIVALENT_YEAR].kgce_per_kwh
    return coefficient(_CALORIFIC.get(carrier, carrier)).kgce_per_unit
