"""Whether before and after may be compared: same definition, boundary, meters, cycles, devices.

What a year rests on beside its rows is kept when the year is first judged; the plan may change
afterwards. Where it differs the answer is not "improved" or "worse" but not comparable 不可比.

References
----------
[1] ISO 22400-2: before comparing OEE, the criteria of comparability are to be checked.
[2] IPMVP: same boundary and same meters before and after.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kpi.figures import Evidence
from kpi.policy import Policy
from store.figures import Figure
from store.registry import Asset, MonitoringPlan

Difference = Literal[
    "method",
    "coefficients",
    "devices",
    "ideal_cycles",
    "calendar",
    "planned_downtime",
    "product_mix",
    "boundary",
    "meters",
    "direction",
]

_EQUIPMENT = frozenset({"oee", "availability", "performance", "quality", "nee", "teep", "ooe"})
_ENERGY = ("standard_coal", "energy_")
_BY_PRODUCT = frozenset({"performance", "quality", "oee", "nee", "defect_rate"})
# Of these less is better.
SHALL_FALL = frozenset(
    {
        "defect_rate", "headcount", "rd_cycle", "energy_intensity", "energy_intensity_value",
        "standard_coal", "standard_coal_equivalent", "standard_coal_purchased",
        "standard_coal_with_media",
    }
)  # fmt: skip
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Basis:
    """What a year's figures rest on beside rows; all JSON-ready, so that it can be kept.

    `cycles` are ideal seconds by asset and product; `meters` are carrier, unit and multiplier of
    each entry meter; `mix` is the mean ideal time of a piece [s] and its weight [s] by asset.
    """

    devices: list[str]
    cycles: dict[str, dict[str, float]]
    calendar: list[str]
    meters: dict[str, list[Any]]
    planned_down_share: float | None
    mix: dict[str, list[float]]

    def kept(self) -> dict[str, Any]:
        """Return the basis as it is stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Differing:
    """One difference that forbids a comparison, with what it was before and after in words."""

    what: Difference
    text: str


def basis_of(evidence: Evidence, figure: Figure) -> Basis:
    """Return what the year of a figure rests on under the plan as it is now."""
    plan = evidence.plan
    assets = [asset for asset in plan.assets if asset.in_oee]
    sums = evidence.produced(assets, figure.period_start, figure.period_end)
    planned, down = float(sums["planned_s"].sum()), float(sums["planned_down_s"].sum())
    return Basis(
        devices=sorted(asset.code for asset in assets),
        cycles={asset.code: _cycles(plan, asset) for asset in assets},
        calendar=sorted(
            f"{shift.weekday} {shift.starts:%H:%M:%S} {shift.duration_s}" for shift in plan.shifts
        ),
        meters={
            asset.code: [asset.carrier, asset.unit, *_multipliers(plan, asset)]
            for asset in plan.assets
            if asset.level == 1
        },
        planned_down_share=down / (planned + down) if planned + down else None,
        mix={
            asset.code: [float(ideal_s / total), float(ideal_s)]
            for asset, ideal_s, total in zip(
                assets, sums["ideal_total_s"], sums["total"], strict=True
            )
            if total > 0
        },
    )


def _cycles(plan: MonitoringPlan, asset: Asset) -> dict[str, float]:
    cycles = plan.ideal_cycle_s.get(asset.asset_id, {})
    return {str(product): seconds for product, seconds in sorted(cycles.items())}


def _multipliers(plan: MonitoringPlan, asset: Asset) -> list[float]:
    return [
        tag.ratio for tag in plan.tags if tag.asset_id == asset.asset_id and tag.role == "energy"
    ]


def differences(
    before: tuple[Figure, Mapping[str, Any]],
    after: tuple[Figure, Mapping[str, Any]],
    policy: Policy,
) -> list[Differing]:
    """Return why two years of one KPI cannot be compared; none says that they can.

    Each year is its figure and its kept basis. Which differences matter depends on the KPI: an
    ideal cycle says nothing about deliveries.
    """
    (old, was), (new, now) = before, after
    found = list(_versions(old, new))
    if new.kpi in _EQUIPMENT:
        found += _equipment(was, now, policy)
    if new.kpi in _BY_PRODUCT:
        found += _mix(was["mix"], now["mix"], policy)
    if new.kpi == "rd_cycle":
        found += _classes(old.inputs.get("classes", []), new.inputs.get("classes", []))
    if new.kpi.startswith(_ENERGY):
        found += _energy(was["meters"], now["meters"])
    return found


def turned(
    kpi: str, declared: float | None, measured: float, expected: float
) -> Iterator[Differing]:
    """Yield that what was measured before lies beyond what was promised.

    The share of the promised change would turn round then: what got better would be worse.
    """
    if declared is None or declared == expected:
        rises = kpi not in SHALL_FALL
    else:
        rises = expected > declared
    if measured != expected and (expected > measured) != rises:
        yield Differing("direction", f"{measured:.4g} → {expected:.4g}")


def _versions(old: Figure, new: Figure) -> Iterator[Differing]:
    if old.method_version != new.method_version:
        yield Differing("method", f"{old.method_version} → {new.method_version}")
    if old.coefficient_version != new.coefficient_version and new.kpi.startswith(_ENERGY):
        yield Differing("coefficients", f"{old.coefficient_version} → {new.coefficient_version}")


def _equipment(
    was: Mapping[str, Any], now: Mapping[str, Any], policy: Policy
) -> Iterator[Differing]:
    if was["devices"] != now["devices"]:
        yield Differing("devices", _changed_names(was["devices"], now["devices"]))
    cycles = list(_changed_cycles(was["cycles"], now["cycles"]))
    if cycles:
        yield Differing("ideal_cycles", _few(cycles))
    if was["calendar"] != now["calendar"]:
        yield Differing("calendar", _changed_names(was["calendar"], now["calendar"]))
    shares = was["planned_down_share"], now["planned_down_share"]
    if None not in shares and abs(shares[1] - shares[0]) > policy.planned_down_share:
        yield Differing("planned_downtime", f"{shares[0]:.1%} → {shares[1]:.1%}")


def _changed_cycles(
    was: Mapping[str, Mapping[str, float]], now: Mapping[str, Mapping[str, float]]
) -> Iterator[str]:
    """Name the cycles of devices of both years that changed; a new product changes none."""
    for asset in sorted(set(was) & set(now)):
        for product in sorted(set(was[asset]) & set(now[asset])):
            old, new = was[asset][product], now[asset][product]
            if old != new:
                yield f"{asset} {product}: {old:g} s → {new:g} s"


def _mix(
    was: Mapping[str, list[float]], now: Mapping[str, list[float]], policy: Policy
) -> Iterator[Differing]:
    """Compare what devices of both years made, by the mean ideal time of a piece."""
    both = sorted(set(was) & set(now))
    weight = sum(now[asset][1] for asset in both)
    if not weight or any(was[asset][0] <= 0 for asset in both):
        return
    changed = sum(now[each][1] * abs(now[each][0] / was[each][0] - 1) for each in both) / weight
    if changed > policy.product_mix:
        yield Differing("product_mix", f"{changed:.0%} > {policy.product_mix:.0%}")


def _classes(was: list[str], now: list[str]) -> Iterator[Differing]:
    """Compare the classes of the products that were developed, where each project names its own."""
    if all([*was, *now]) and was and now and sorted(was) != sorted(now):
        yield Differing("product_mix", _changed_names(sorted(was), sorted(now)))


def _energy(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Differing]:
    if sorted(was) != sorted(now):
        yield Differing("boundary", _changed_names(sorted(was), sorted(now)))
    changed = [
        f"{meter}: {_list(was[meter])} → {_list(now[meter])}"
        for meter in sorted(set(was) & set(now))
        if was[meter] != now[meter]
    ]
    if changed:
        yield Differing("meters", _few(changed))


def _changed_names(was: list[str], now: list[str]) -> str:
    gone = [f"− {each}" for each in was if each not in now]
    return _few(gone + [f"+ {each}" for each in now if each not in was])


def _list(parts: list[Any]) -> str:
    return " ".join(str(part) for part in parts)


def _few(texts: list[str]) -> str:
    more = len(texts) - _MOST_NAMED
    return "; ".join(texts[:_MOST_NAMED]) + (f"; … {more}" if more > 0 else "")
