"""Values of KPIs as people give them: within what the KPI can have, so that no unit is mistaken."""

from api import kpis
from api.kpis import Kpi
from api.pool.errors import Declined
from api.pool.lifecycle import Name
from api.pool.refused import refused
from store.plan_kpis import KPI_RANGES, Range


def check_value(kpi_id: str, *values: float) -> None:
    """Raise Declined for a value in the figure's unit that its KPI cannot have.

    78 for an OEE of 78 % would be taken for a false report, and 0.5 robots for a mistake of ours.
    """
    allowed = KPI_RANGES.get(kpi_id)
    if allowed is None:
        return
    kpi = kpis.by_id(kpi_id)
    for value in values:
        if not allowed.least <= value <= allowed.most:
            raise refused(
                "kpi_range", Declined,
                stored_least=f"{allowed.least:.12g}", stored_most=f"{allowed.most:.12g}",
                **_shown(kpi, allowed),
            )  # fmt: skip
        if allowed.is_whole and value % 1:
            raise refused("kpi_whole", Declined, **_shown(kpi, allowed))


def _shown(kpi: Kpi, allowed: Range) -> dict[str, object]:
    return {
        "item": Name(kpi.zh, kpi.en),
        "unit": Name(kpi.shown_unit_zh, kpi.shown_unit_en),
        "least": f"{allowed.least * kpi.factor:.12g}",
        "most": f"{allowed.most * kpi.factor:.12g}",
    }
