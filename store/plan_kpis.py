"""Which KPIs a plan may promise or report, and between which values.

A value beyond its range is of another unit: 78 for an OEE of 78 %, 480 for 4.8 turns a year.
"""

from dataclasses import dataclass

from store.plan_fields import Check, between, whole


@dataclass(frozen=True, slots=True)
class Range:
    """Least and largest value that a KPI may have, in its stored unit, which says how it is."""

    least: float
    most: float
    unit: str
    is_whole: bool = False

    @property
    def check(self) -> Check:
        """Return the check of a value."""
        if self.is_whole:
            return whole(int(self.least), int(self.most))
        return between(self.least, self.most)


_SHARE = Range(0, 1, "a share, so that 0.78 is 78 %")
_TCE = Range(0, 1e9, "tce")
_COUNT = Range(0, 1_000_000, "a count", is_whole=True)

KPI_RANGES: dict[str, Range] = {
    "oee": _SHARE,
    "availability": _SHARE,
    "performance": Range(0, 10, "a share, so that 1.05 is 105 %"),
    "quality": _SHARE,
    "defect_rate": _SHARE,
    "on_time_delivery": _SHARE,
    "inventory_turnover": Range(0, 366, "turns a year, so that 4.8 is 480 %"),
    "standard_coal": _TCE,
    "standard_coal_equivalent": _TCE,
    "standard_coal_purchased": Range(-1e9, 1e9, "tce"),
    "standard_coal_with_media": _TCE,
    "energy_intensity": Range(0, 1e9, "kgce for a standard hour"),
    "energy_intensity_value": Range(0, 1e6, "tce for 10,000 yuan"),
    "energy_saving": Range(-1e9, 1e9, "tce"),
    "networked_equipment": _COUNT,
    "robots": _COUNT,
    "retrofitted_lines": _COUNT,
    "retrofitted_equipment": _COUNT,
    "headcount": Range(0, 1_000_000, "people"),
    "rd_cycle": Range(0, 36_500, "days"),
}
