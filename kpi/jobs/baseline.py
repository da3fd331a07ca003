"""The months of a factory's baseline, as their figures were formed."""

import store
from kpi.calendar import months
from kpi.figures.basis import BaselineMonth
from kpi.figures.energy_performance import degree_days_in
from store import judged, registry


def stored_baseline(conn: store.Connection, factory: registry.Factory) -> tuple[BaselineMonth, ...]:
    """Return the energy and the output of the baseline's months that have both.

    They stand in the newest figures of energy intensity, so that no fact has to be read again.
    """
    first = factory.baseline_from.replace(day=1)
    starts = [start for start, _ in months(first, factory.baseline_to)]
    found = judged.newest_figures(conn, factory.factory_id, "month", ["energy_intensity"], starts)
    return tuple(
        BaselineMonth(
            start=each.period_start,
            end=each.period_end,
            tce=float(each.inputs["tce"]),
            standard_hours=float(each.inputs["standard_hours"]),
            coverage=each.coverage,
            degree_days=degree_days_in(each.inputs),
        )
        for each in sorted(found, key=lambda figure: figure.period_start)
        if each.point is not None
    )
