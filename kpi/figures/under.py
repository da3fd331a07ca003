"""What each KPI is formed from: the assets whose facts it adds up, and the kinds of records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from store.registry import Asset


def _in_oee(asset: Asset) -> bool:
    return asset.in_oee


def _key_equipment(asset: Asset) -> bool:
    return asset.key_equipment


def _robot(asset: Asset) -> bool:
    return asset.kind == "robot"


def _meter(asset: Asset) -> bool:
    return asset.kind == "meter"


def _meter_or_in_oee(asset: Asset) -> bool:
    return _meter(asset) or _in_oee(asset)


def _system(asset: Asset) -> bool:
    return asset.kind == "system"


@dataclass(frozen=True, slots=True)
class Under:
    """Which assets and which kinds of records lie under a KPI."""

    counts: Callable[[Asset], bool]
    kinds: tuple[str, ...] = ()


# Invoices may state a measured heating value, which goes before the coefficient of the standard.
_COAL = Under(_meter, ("energy_invoice",))
# Degree days explain what the weather did to the energy.
_OUTPUT = Under(_meter_or_in_oee, ("energy_invoice", "degree_days"))

# Each KPI that a figure may be of; one that is missing here cannot be explained.
UNDER: Mapping[str, Under] = {
    "oee": Under(_in_oee),
    "availability": Under(_in_oee),
    "performance": Under(_in_oee),
    "quality": Under(_in_oee),
    # While a system was not heard of, its records may be missing.
    "defect_rate": Under(_system, ("inspection",)),
    "inventory_turnover": Under(_system, ("stock_balance", "cogs")),
    "on_time_delivery": Under(_system, ("order_line",)),
    "headcount": Under(_system, ("headcount",)),
    "rd_cycle": Under(_system, ("rd_project",)),
    "standard_coal": _COAL,
    "standard_coal_equivalent": _COAL,
    "standard_coal_purchased": _COAL,
    "standard_coal_with_media": _COAL,
    "energy_intensity": _OUTPUT,
    "energy_intensity_value": Under(_meter, ("output_value", "energy_invoice")),
    "energy_saving": _OUTPUT,
    "networked_equipment": Under(_key_equipment),
    "retrofitted_lines": Under(_key_equipment),
    "retrofitted_equipment": Under(_key_equipment),
    "robots": Under(_robot),
}
