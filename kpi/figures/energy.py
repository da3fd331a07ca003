"""Standard coal of a site from its entry meters (GB/T 2589-2020)."""

from dataclasses import dataclass

from kpi.errors import NotComputable
from kpi.factors import coefficient, electricity_equivalents
from kpi.figures.basis import Estimate, Evidence, Period, bounded, refused
from kpi.formulas.energy import EnergyItem, standard_coal
from store.registry import Asset, Tag

# One year for before and after, so that the grid's progress is not taken for the factory's.
_EQUIVALENT_YEAR = 2020
# Their calorific value is a constant of physics; no certificate changes it.
_CALORIFIC = {"electricity": "electricity_calorific", "heat": "heat_calorific"}
_KPIS = ("standard_coal", "standard_coal_equivalent")


@dataclass(frozen=True, slots=True)
class _Carrier:
    """Quantity of one carrier at the boundary, with bounds, in the carrier's unit."""

    name: str
    unit: str
    low: float
    point: float
    high: float


def energy(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return standard coal on the calorific 当量 and on the equivalent 等价 basis [tce].

    Only entry meters (level 1) form the total. Hours that readings do not span are estimated at
    the mean of the others in the point, at nothing in the low bound and at the meter's largest
    rate in the high one; hours bridged by the register are exact, but for a gap over an end of
    the period.
    """
    meters = [asset for asset in evidence.plan.assets if asset.level == 1]
    if not meters:
        return [refused(kpi, "tce", 0.0, "no entry meter is registered") for kpi in _KPIS]
    seconds = evidence.seconds(period.start, period.end)
    if seconds == 0:
        return [refused(kpi, "tce", 0.0, "no hour of the period has ended") for kpi in _KPIS]
    metered_s = evidence.sums(meters, period.start, period.end)["energy_hours"] * 3600
    silent = [each.code for each, known in zip(meters, metered_s, strict=True) if known == 0]
    if silent:
        reason = f"entry meter {silent[0]} has no data in the period"
        return [refused(kpi, "tce", 0.0, reason) for kpi in _KPIS]
    coverage = min(float(metered_s.min()) / seconds, 1.0)
    carriers = [_carrier(evidence, period, meter, seconds) for meter in meters]
    return [_total(evidence, kpi, coverage, carriers) for kpi in _KPIS]


def _carrier(evidence: Evidence, period: Period, meter: Asset, seconds: float) -> _Carrier:
    by_asset = evidence.sums([meter], period.start, period.end)
    sums = {name: float(each[0]) for name, each in by_asset.items()}
    metered_s = sums["energy_hours"] * 3600
    missing_s = max(seconds - metered_s, 0.0)
    mean = sums["energy"] / metered_s
    tags = [
        tag for tag in evidence.plan.tags if tag.asset_id == meter.asset_id and tag.role == "energy"
    ]
    shift = evidence.shift([meter], period, "energy")
    return _Carrier(
        name=meter.carrier or "",
        unit=meter.unit or "",
        low=max(sums["energy_low"] - _step(tags) - shift.less, 0.0),
        point=sums["energy"] + missing_s * mean,
        high=sums["energy_high"]
        + missing_s * max(_largest_rate(tags), mean)
        + _step(tags)
        + shift.more,
    )


def _step(tags: list[Tag]) -> float:
    """Return by how much the difference of two readings may err: the register's least step."""
    return max((tag.resolution * tag.ratio for tag in tags), default=0.0)


def _largest_rate(tags: list[Tag]) -> float:
    return max((tag.max_rate_per_s * tag.ratio for tag in tags if tag.max_rate_per_s), default=0.0)


def _total(evidence: Evidence, kpi: str, coverage: float, carriers: list[_Carrier]) -> Estimate:
    try:
        factors = {carrier.name: _factor(evidence, carrier, kpi) for carrier in carriers}
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


def _factor(evidence: Evidence, carrier: _Carrier, kpi: str) -> float:
    """Return kgce per unit: a certified value goes before the reference table.

    Raises NotComputable where there is none, or where it is one per another unit.
    """
    if kpi == "standard_coal" and carrier.name in _CALORIFIC:
        return _reference(carrier, _CALORIFIC[carrier.name])
    for certified in evidence.plan.energy_factors:
        if certified.carrier == carrier.name:
            return certified.kgce_per_unit
    if carrier.name == "electricity":
        _reference(carrier, "electricity_calorific")
        return electricity_equivalents()[_EQUIVALENT_YEAR].kgce_per_kwh
    return _reference(carrier, _CALORIFIC.get(carrier.name, carrier.name))


def _reference(carrier: _Carrier, name: str) -> float:
    found = coefficient(name)
    if found.unit != carrier.unit:
        raise NotComputable(
            f"{carrier.name} is metered in {carrier.unit}, but its factor is per {found.unit}; "
            "correct the plan"
        )
    return found.kgce_per_unit
