"""What a plan must say and must not contradict about meters, exchanges and factors of energy."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from itertools import combinations, pairwise
from typing import Any

from store.energy_carriers import (
    ANY_LEAST_KGCE,
    ANY_MOST_KGCE,
    CARRIERS,
    KJ_PER_KGCE,
    Carrier,
)
from store.errors import PlanRefused
from store.plan_fields import check_fields
from store.plan_schema import EXCHANGE

Plan = Mapping[str, Any]

_VALUES = ("kgce_per_unit", "lhv_kj_per_unit")


def check_energy(plan: Plan) -> None:
    """Raise PlanRefused with the place and what is allowed there; fields were checked before."""
    meters = {asset["code"]: asset["meter"] for asset in plan["assets"] if asset.get("meter")}
    for asset in plan["assets"]:
        place = f"asset {asset['code']}"
        if asset["kind"] == "meter" and not asset.get("meter"):
            raise PlanRefused(f"{place}: a meter needs meter with carrier, unit and level")
        if asset.get("meter"):
            _check_meter(place, asset, meters)
    factors = plan.get("energy_factors") or ()
    _check_factors(factors)
    _check_carriers(meters, factors)
    for index, stock in enumerate(plan.get("energy_stocks") or ()):
        if all(meter["carrier"] != stock["carrier"] for meter in meters.values()):
            raise PlanRefused(
                f"energy_stocks[{index}]: carrier {stock['carrier']!r} has no meter in the plan"
            )


def _check_carriers(meters: Mapping[str, Plan], factors: Iterable[Plan]) -> None:
    """Refuse a meter of a carrier that no table knows and that the plan gives no factor."""
    stated = {factor["carrier"] for factor in factors}
    for code, meter in meters.items():
        carrier = meter["carrier"]
        if carrier not in CARRIERS and carrier not in stated:
            close = get_close_matches(carrier, CARRIERS, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise PlanRefused(
                f"asset {code}, meter: carrier is {carrier!r} but must have a factor in "
                f"energy_factors or be one of {', '.join(CARRIERS)}{hint}"
            )


def _check_meter(place: str, asset: Plan, meters: Mapping[str, Plan]) -> None:
    meter = asset["meter"]
    known = CARRIERS.get(meter["carrier"])
    if known is not None and meter["unit"] != known.unit:
        raise PlanRefused(
            f"{place}, meter: unit is {meter['unit']!r} but {meter['carrier']} must be in "
            f"{known.unit}; the tag's ratio turns register units into it"
        )
    if asset["kind"] == "meter" and not _energy_tags(asset):
        raise PlanRefused(f"{place}: a meter needs a tag with the role energy")
    _check_above(place, asset["code"], meters)
    _check_exchanges(place, meter.get("exchanges") or ())


def _energy_tags(asset: Plan) -> list[Plan]:
    return [tag for tag in asset.get("tags") or () if tag["role"] == "energy"]


def _check_above(place: str, code: str, meters: Mapping[str, Plan]) -> None:
    meter, above = meters[code], meters[code].get("above")
    is_tariff = meter.get("register") == "tariff"
    if above is None:
        if is_tariff:
            raise PlanRefused(f"{place}, meter: a tariff needs above, the code of the total")
        return
    if above == code or above not in meters:
        raise PlanRefused(f"{place}, meter: above is {above!r} but must be the code of a meter")
    other = meters[above]
    if other["carrier"] != meter["carrier"]:
        raise PlanRefused(
            f"{place}, meter: carrier is {meter['carrier']!r} but {above} above it measures "
            f"{other['carrier']}"
        )
    if other.get("register") == "tariff":
        raise PlanRefused(f"{place}, meter: {above} is a tariff, which has nothing below it")
    if is_tariff and other["level"] != meter["level"]:
        raise PlanRefused(f"{place}, meter: level of a tariff must be {other['level']} as {above}")
    if not is_tariff and other["level"] >= meter["level"]:
        raise PlanRefused(
            f"{place}, meter: level is {meter['level']} but must be above {other['level']}, "
            f"the level of {above}"
        )


def _check_exchanges(place: str, exchanges: Any) -> None:
    for index, exchange in enumerate(exchanges):
        check_fields(f"{place}, meter, exchanges[{index}]", exchange, EXCHANGE)
    times = [datetime.fromisoformat(exchange["at"]) for exchange in exchanges]
    for one, other in pairwise(times):
        if one >= other:
            raise PlanRefused(
                f"{place}, meter, exchanges: {other.isoformat()} must come after {one.isoformat()}"
            )


def _check_factors(factors: Iterable[Plan]) -> None:
    for index, factor in enumerate(factors):
        _check_factor(f"energy_factors[{index}]", factor)
    for one, other in combinations(factors, 2):
        if _kind(one) == _kind(other) and _overlap(one, other):
            raise PlanRefused(
                f"energy_factors: {one['carrier']} stands there twice for the same months: "
                f"{_span(one)}, and {_span(other)}"
            )


def _check_factor(place: str, factor: Plan) -> None:
    given = [name for name in _VALUES if factor.get(name) is not None]
    if len(given) != 1:
        raise PlanRefused(f"{place}: needs either kgce_per_unit or lhv_kj_per_unit")
    if _start(factor) >= _end(factor):
        raise PlanRefused(f"{place}: valid_to must lie after valid_from")
    allowed = CARRIERS.get(factor["carrier"], Carrier("unit", ANY_LEAST_KGCE, ANY_MOST_KGCE))
    times = KJ_PER_KGCE if given[0] == "lhv_kj_per_unit" else 1.0
    least, most = allowed.least_kgce * times, allowed.most_kgce * times
    if not least <= factor[given[0]] <= most:
        raise PlanRefused(
            f"{place}: {given[0]} of {factor['carrier']} is {factor[given[0]]:g} but must be from "
            f"{least:g} to {most:g} per {allowed.unit}"
        )


def _kind(factor: Plan) -> tuple[str, bool]:
    return factor["carrier"], factor.get("kgce_per_unit") is None


def _start(factor: Plan) -> str:
    return factor.get("valid_from") or "0001-01-01"


def _end(factor: Plan) -> str:
    return factor.get("valid_to") or "9999-12-31"


def _overlap(one: Plan, other: Plan) -> bool:
    return max(_start(one), _start(other)) < min(_end(one), _end(other))


def _span(factor: Plan) -> str:
    return f"from {_start(factor)} up to {_end(factor)}"
