"""Heating values that suppliers measured, from their invoices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import fsum
from typing import Any

from kpi.errors import NotComputable
from kpi.formulas.checks import positive
from kpi.formulas.energy import KJ_PER_KGCE
from kpi.reasons import because
from store.energy_carriers import CARRIERS
from store.registry import EnergyFactor
from store.units import billed_in

# Invoices must bill this share of the days that a heating value is used for.
_LEAST_BILLED = 0.9
_KJ_PER_MJ = 1_000.0


@dataclass(frozen=True, slots=True)
class Bill:
    """A billed quantity [unit] of the days [first, end) with its heating value [kJ/unit]."""

    carrier: str
    first: date
    end: date
    quantity: float
    lhv_kj_per_unit: float


def bill(body: Mapping[str, Any]) -> Bill | None:
    """Return the heating value of an invoice, None where it has none.

    Raises NotComputable for one that the carrier cannot have.
    """
    given = body.get("lower_heating_value_mj")
    if given is None:
        return None
    carrier = str(body.get("carrier"))
    lhv_kj = positive("lower_heating_value_mj", _number(given)) * _KJ_PER_MJ
    quantity = positive("quantity", _number(body.get("quantity")))
    known = CARRIERS.get(carrier)
    one = _size(body, carrier)
    lhv_kj, quantity = lhv_kj / one, quantity * one
    if known and not known.least_kgce <= lhv_kj / KJ_PER_KGCE <= known.most_kgce:
        least, most = (each * KJ_PER_KGCE / _KJ_PER_MJ for each in _range(carrier))
        raise NotComputable(
            because(
                "heating_value_range",
                carrier=carrier,
                given=given,
                least=least,
                most=most,
                unit=known.unit,
            )
        )
    first, last = (_day(name, body.get(name)) for name in ("first_day", "last_day"))
    return Bill(carrier, first, last + timedelta(days=1), quantity, lhv_kj)


def _size(body: Mapping[str, Any], carrier: str) -> float:
    """Return how many of the carrier's unit one billed unit is; raises NotComputable."""
    known, unit = CARRIERS.get(carrier), body.get("unit")
    if known is None or unit is None:
        return 1.0
    size = billed_in(known.unit, unit)
    if size is None:
        raise NotComputable(because("unit_differs", carrier=carrier, unit=unit, wanted=known.unit))
    return size


def billed_factor(
    bills: Iterable[Bill], carrier: str, first: date, end: date
) -> EnergyFactor | None:
    """Return the mean heating value of what was billed in [first, end), weighted by quantity.

    None where the invoices that state one lie in less than 90 % of the days.
    """
    inside = [
        each for each in bills if each.carrier == carrier and first <= each.first < each.end <= end
    ]
    days = {
        each.first + timedelta(days=number)
        for each in inside
        for number in range((each.end - each.first).days)
    }
    if len(days) < _LEAST_BILLED * (end - first).days:
        return None
    quantity = fsum(each.quantity for each in inside)
    lhv_kj = fsum(each.quantity * each.lhv_kj_per_unit for each in inside) / quantity
    return EnergyFactor(carrier, None, f"measured by the supplier: {len(inside)} invoices", lhv_kj)


def _range(carrier: str) -> tuple[float, float]:
    return CARRIERS[carrier].least_kgce, CARRIERS[carrier].most_kgce


def _number(given: Any) -> Any:
    try:
        return float(given) if isinstance(given, str) else given
    except ValueError:
        return given


def _day(name: str, given: Any) -> date:
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError) as error:
        raise NotComputable(because("no_date", name=name, given=repr(given))) from error
