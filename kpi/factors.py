"""Standard-coal coefficients of GB/T 2589-2020 and the yearly equivalent value of electricity.

The rows carry a confidence, since not all were compared with the printed standard. They are the
last choice of the standard's own order: a measured heating value, a statistical factor or the
plant's own balance go before them.

References
----------
[1] GB/T 2589-2020, Annex A (fuels, electricity, heat) and Annex B (media).
[2] National coal consumption of power supply by year, NDRC and NEA.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from kpi.errors import BadTable, NotComputable
from kpi.formulas.energy import KJ_PER_KGCE
from kpi.reasons import because

EDITION = "GB/T 2589-2020"
UNITS = frozenset({"kg", "m3", "t", "kWh", "MJ"})
CONFIDENCES = frozenset({"high", "medium", "low"})
# Annex B prints heating values rounded to 10 kJ, so that factor and value agree only this well.
FACTOR_AGREEMENT = 0.003


@dataclass(frozen=True)
class Coefficient:
    """One carrier: heating value [kJ/unit] and factor [kgce/unit], each with its range."""

    carrier: str
    name_zh: str
    name_en: str
    annex: str
    unit: str
    lhv_low_kj: float
    lhv_high_kj: float
    factor_low_kgce: float
    factor_high_kgce: float
    factor_confidence: str
    lhv_confidence: str
    reference: str

    @property
    def is_range(self) -> bool:
        return self.factor_low_kgce != self.factor_high_kgce

    @property
    def kgce_per_unit(self) -> float:
        """The factor [kgce/unit]; a carrier with a range has none and needs a measured value."""
        if self.is_range:
            raise NotComputable(
                because(
                    "only_range",
                    carrier=self.carrier,
                    low=self.factor_low_kgce,
                    high=self.factor_high_kgce,
                    unit=self.unit,
                )
            )
        return self.factor_low_kgce


@dataclass(frozen=True)
class ElectricityEquivalent:
    """Equivalent value 等价值 of electricity [kgce/kWh] and the year that it was measured in."""

    year: int
    kgce_per_kwh: float
    confidence: str
    reference: str


def coefficient(carrier: str) -> Coefficient:
    """Return the coefficient of a carrier; an unknown one is refused, never guessed."""
    found = coefficients().get(carrier)
    if found is None:
        raise NotComputable(because("carrier_unknown", edition=EDITION, carrier=carrier))
    return found


def electricity_equivalent(reporting_year: int) -> ElectricityEquivalent:
    """Return the equivalent value for a reporting year: that of the year before.

    Where the year before is not published yet, the latest earlier one is used; the result names its
    year, so that a figure can show which one it rests on.
    """
    earlier = [year for year in electricity_equivalents() if year < reporting_year]
    if not earlier:
        raise NotComputable(because("no_equivalent", year=reporting_year))
    return electricity_equivalents()[max(earlier)]


@cache
def coefficients() -> Mapping[str, Coefficient]:
    """Return all coefficients of the shipped table by carrier."""
    return parse_coefficients(_text("standard_coal_coefficients.csv"))


@cache
def electricity_equivalents() -> Mapping[int, ElectricityEquivalent]:
    """Return the shipped equivalent values by the year that they were measured in."""
    return parse_electricity_equivalents(_text("electricity_equivalent.csv"))


def parse_coefficients(text: str) -> Mapping[str, Coefficient]:
    """Read and check a table of coefficients; BadTable names the first row that is wrong."""
    found: dict[str, Coefficient] = {}
    for values in csv.DictReader(io.StringIO(text)):
        row = _coefficient(values)
        if row.carrier in found:
            raise BadTable(f"carrier {row.carrier} appears twice; keep one row")
        found[row.carrier] = row
    return MappingProxyType(found)


def parse_electricity_equivalents(text: str) -> Mapping[int, ElectricityEquivalent]:
    """Read and check the equivalent values by year; BadTable names the first row that is wrong."""
    found: dict[int, ElectricityEquivalent] = {}
    for values in csv.DictReader(io.StringIO(text)):
        try:
            year, grams = int(values["year"]), float(values["gce_per_kwh"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadTable(f"{values} has no year and value; correct the row") from error
        if year in found:
            raise BadTable(f"year {year} appears twice; keep one row")
        if not 200 < grams < 500:
            raise BadTable(f"year {year}: {grams:g} g/kWh is no coal consumption of power supply")
        _check_provenance(str(year), values, ("confidence",))
        found[year] = ElectricityEquivalent(
            year, grams / 1000, values["confidence"], values["reference"]
        )
    return MappingProxyType(found)


def _coefficient(values: Mapping[str, str]) -> Coefficient:
    name = values.get("carrier") or "a row without carrier"
    try:
        row = Coefficient(
            carrier=values["carrier"],
            name_zh=values["name_zh"],
            name_en=values["name_en"],
            annex=values["annex"],
            unit=values["unit"],
            lhv_low_kj=float(values["lhv_low_kj"]),
            lhv_high_kj=float(values["lhv_high_kj"]),
            factor_low_kgce=float(values["factor_low_kgce"]),
            factor_high_kgce=float(values["factor_high_kgce"]),
            factor_confidence=values["factor_confidence"],
            lhv_confidence=values["lhv_confidence"],
            reference=values["reference"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadTable(f"{name}: a column is missing or no number ({error})") from error
    _check_provenance(name, values, ("factor_confidence", "lhv_confidence"))
    _check_physics(row)
    return row


def _check_provenance(name: str, values: Mapping[str, str], confidences: tuple[str, ...]) -> None:
    if not (values.get("reference") or "").strip():
        raise BadTable(f"{name} names no reference; add standard and table")
    for column in confidences:
        if values.get(column) not in CONFIDENCES:
            raise BadTable(f"{name}: {column} must be one of {', '.join(sorted(CONFIDENCES))}")


def _check_physics(row: Coefficient) -> None:
    if not row.carrier or row.unit not in UNITS:
        raise BadTable(f"{row.carrier}: unit {row.unit!r} is unknown; use one of {sorted(UNITS)}")
    if not 0 < row.factor_low_kgce <= row.factor_high_kgce:
        raise BadTable(f"{row.carrier}: the factors must be positive and in order")
    for lhv, factor in (
        (row.lhv_low_kj, row.factor_low_kgce),
        (row.lhv_high_kj, row.factor_high_kgce),
    ):
        if abs(lhv / KJ_PER_KGCE / factor - 1) > FACTOR_AGREEMENT:
            raise BadTable(f"{row.carrier}: {factor:g} kgce does not follow from {lhv:g} kJ")


def _text(name: str) -> str:
    return resources.files("kpi.tables").joinpath(name).read_text(encoding="utf-8")
