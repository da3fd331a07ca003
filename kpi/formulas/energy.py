"""Energy in standard coal, counted once at the site's boundary.

References
----------
[1] GB/T 2589-2020, General rules for calculation of the comprehensive energy consumption:
    definition of standard coal (29 307 kJ/kgce), E = Σ Eᵢ · kᵢ, order of preference of factors.
[2] GB 17167-2006, entry meters, sub-unit meters and equipment meters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum

from kpi.errors import NotComputable
from kpi.formulas.checks import non_negative, number, positive, ratio
from kpi.reasons import because

KJ_PER_KGCE = 29_307.0
KG_PER_T = 1_000.0


@dataclass(frozen=True)
class EnergyItem:
    """One carrier at the boundary, with a coefficient or a measured received-basis LHV."""

    carrier: str
    quantity: float
    factor_kgce_per_unit: float | None = None
    lhv_kj_per_unit: float | None = None

    @property
    def kgce_per_unit(self) -> float:
        """Coefficient k [kgce/unit]; a measured heating value goes before a stated factor."""
        if self.lhv_kj_per_unit is not None:
            lhv = positive(f"heating value of {self.carrier}", self.lhv_kj_per_unit)
            return lhv / KJ_PER_KGCE
        if self.factor_kgce_per_unit is None:
            raise NotComputable(because("no_factor", carrier=self.carrier))
        return positive(f"factor of {self.carrier}", self.factor_kgce_per_unit)


@dataclass(frozen=True)
class StandardCoal:
    """Total [tce] and what each item adds [tce], in the items' order."""

    tce: float
    items_tce: tuple[float, ...]


def standard_coal(items: Iterable[EnergyItem]) -> StandardCoal:
    """Comprehensive energy consumption 综合能源消费量, E = Σ Eᵢ · kᵢ.

    No coefficient is assumed: electricity alone differs by the factor 2.5 between calorific 当量
    and equivalent 等价 value, so each item states its own. Sold energy and stock growth are items
    of negative quantity; the total may not be negative. Own-produced media are not items, the
    energy that made them is.

    Parameters
    ----------
    items : quantity [unit] with factor [kgce/unit] or lower heating value [kJ/unit]

    Returns
    -------
    StandardCoal : [tce]

    References: [1].
    """
    parts = tuple(
        number(f"quantity of {item.carrier}", item.quantity) * item.kgce_per_unit / KG_PER_T
        for item in items
    )
    if not parts:
        raise NotComputable(because("no_energy_item"))
    total = non_negative("total energy", fsum(parts))
    return StandardCoal(tce=total, items_tce=parts)


@dataclass(frozen=True)
class SiteElectricity:
    """Electricity used at the site [kWh] and in standard coal [tce], with both PV conventions."""

    use_kwh: float
    tce_with_own: float
    tce_purchased_only: float


def site_electricity(
    import_kwh: float, export_kwh: float, own_renewable_kwh: float, factor_kgce_per_kwh: float
) -> SiteElectricity:
    """Electricity use of a site with own renewable generation.

    Whether own photovoltaics count as consumption is policy, so both figures are given. The
    purchased-only figure is net of export and is negative for a net exporter. Export beyond import
    and generation is impossible and refused.

    Parameters
    ----------
    import_kwh, export_kwh, own_renewable_kwh : registers over the period [kWh]
    factor_kgce_per_kwh : calorific or equivalent coefficient [kgce/kWh]

    Returns
    -------
    SiteElectricity : import - export + own [kWh]; [tce]

    References: [1].
    """
    bought = non_negative("import", import_kwh) - non_negative("export", export_kwh)
    factor = positive("factor", factor_kgce_per_kwh)
    used = bought + non_negative("own generation", own_renewable_kwh)
    if used < 0:
        raise NotComputable(because("export_exceeds"))
    return SiteElectricity(
        use_kwh=used,
        tce_with_own=used * factor / KG_PER_T,
        tce_purchased_only=bought * factor / KG_PER_T,
    )


@dataclass(frozen=True)
class SiteMeters:
    """Total [tce] from entry meters, and the share that no sub-meter explains [1]."""

    tce: float
    unmetered_share: float | None


def site_meters(
    entry_kwh: Iterable[float], sub_kwh: Iterable[float], factor_kgce_per_kwh: float
) -> SiteMeters:
    """Electricity of a site from its entry meters; sub-meters explain and never add.

    The unmetered share is not clipped: below zero the sub-meters show more than entered, which is
    evidence of a wrong multiplier or meter, while the total from the entry meters stands.

    Parameters
    ----------
    entry_kwh : settlement meters at the boundary [kWh]
    sub_kwh : meters of one level below, without overlap [kWh]
    factor_kgce_per_kwh : coefficient [kgce/kWh]

    Returns
    -------
    SiteMeters : [tce], 1 - Σ sub / Σ entry [1]

    References: [1], [2].
    """
    entries = [non_negative("entry meter", reading) for reading in entry_kwh]
    if not entries:
        raise NotComputable(because("site_without_entry"))
    entered = fsum(entries)
    explained = fsum(non_negative("sub-meter", reading) for reading in sub_kwh)
    share = ratio(entered - explained, entered)
    return SiteMeters(
        tce=entered * positive("factor", factor_kgce_per_kwh) / KG_PER_T, unmetered_share=share
    )
