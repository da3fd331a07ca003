"""Figures: one KPI of one factory and period, formed once from additive sums."""

from kpi.figures.basis import Estimate, Evidence, Period, figure, grade
from kpi.figures.business import defects, deliveries, stock
from kpi.figures.declared import headcount, rd_cycle, retrofits, robots
from kpi.figures.energy import energy
from kpi.figures.energy_performance import performance
from kpi.figures.equipment import networked, oee

__all__ = ["Estimate", "Evidence", "Period", "estimates", "figure", "grade"]

_FAMILIES = (
    *(oee, defects, deliveries, stock, energy, networked),
    *(robots, retrofits, headcount, rd_cycle, performance),
)


def estimates(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return every KPI of a period, each with a number and bounds or with a reason."""
    return [estimate for family in _FAMILIES for estimate in family(evidence, period)]
