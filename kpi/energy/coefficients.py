"""Which factor counts for a carrier in a month: measured before certified before the tables.

References
----------
[1] GB/T 2589-2020, conversion into standard coal: the measured received-basis heating value goes
    first, then what the supplier or statistics state, then the reference values of the annexes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from kpi.errors import NotComputable
from kpi.factors import (
    EDITION,
    coefficient,
    coefficients,
    electricity_equivalent,
    electricity_equivalents,
)
from kpi.formulas.energy import KJ_PER_KGCE
from kpi.reasons import because
from store.meters import Equivalent
from store.registry import EnergyFactor

Basis = Literal["calorific", "equivalent"]
Kind = Literal["measured", "certified", "equivalent", "reference"]

# One year for before and after, so that the grid's progress is not taken for the factory's.
FIXED_EQUIVALENT_YEAR = 2020
# Their calorific value is a constant of physics; no certificate changes it.
_CALORIFIC = {"electricity": "electricity_calorific", "heat": "heat_calorific"}


@dataclass(frozen=True, slots=True)
class Factor:
    """Factor [kgce/unit] of a carrier with where it comes from."""

    kgce_per_unit: float
    kind: Kind
    source: str


@dataclass(frozen=True, slots=True)
class Choice:
    """How factors are chosen: the basis, and which year's equivalent value electricity has."""

    basis: Basis
    equivalent: Equivalent = "fixed"


def factor(
    stated: Iterable[EnergyFactor], carrier: str, unit: str, first: date, choice: Choice
) -> Factor:
    """Return the factor that holds from a first of month on.

    Raises NotComputable where there is none, or where it is one per another unit.
    """
    if choice.basis == "calorific" and carrier in _CALORIFIC:
        return _reference(carrier, unit, _CALORIFIC[carrier])
    valid = [each for each in stated if each.carrier == carrier and _holds(each, first)]
    for each in valid:
        if each.lhv_kj_per_unit is not None:
            return Factor(each.lhv_kj_per_unit / KJ_PER_KGCE, "measured", each.source)
    for each in valid:
        if each.kgce_per_unit is not None:
            return Factor(each.kgce_per_unit, "certified", each.source)
    if carrier == "electricity":
        _reference(carrier, unit, "electricity_calorific")
        return _equivalent(first, choice.equivalent)
    return _reference(carrier, unit, _CALORIFIC.get(carrier, carrier))


def edges(
    stated: Iterable[EnergyFactor], carriers: Iterable[str], start: date, end: date, choice: Choice
) -> list[date]:
    """Return the days inside (start, end) from which on another factor may hold."""
    wanted = set(carriers)
    found = {
        day
        for each in stated
        for day in (each.valid_from, each.valid_to)
        if each.carrier in wanted and day is not None and start < day < end
    }
    if choice == Choice("equivalent", "by_year") and "electricity" in wanted:
        years = (date(year, 1, 1) for year in range(start.year + 1, end.year + 1))
        found |= {day for day in years if start < day < end}
    return sorted(found)


def is_medium(carrier: str) -> bool:
    """Tell whether a carrier is a medium of Annex B, such as oxygen, nitrogen or water."""
    found = coefficients().get(carrier)
    return found is not None and found.annex.startswith("B")


def _holds(stated: EnergyFactor, first: date) -> bool:
    since, until = stated.valid_from or date.min, stated.valid_to or date.max
    return since <= first < until


def _equivalent(first: date, method: Equivalent) -> Factor:
    found = (
        electricity_equivalent(first.year)
        if method == "by_year"
        else electricity_equivalents()[FIXED_EQUIVALENT_YEAR]
    )
    return Factor(found.kgce_per_kwh, "equivalent", f"{found.year}: {found.reference}")


def _reference(carrier: str, unit: str, name: str) -> Factor:
    found = coefficient(name)
    if found.unit != unit:
        raise NotComputable(because("unit_differs", carrier=carrier, unit=unit, wanted=found.unit))
    return Factor(found.kgce_per_unit, "reference", f"{EDITION}, Table {found.annex}")
