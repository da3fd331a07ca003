"""The months of a factory's baseline, as their figures were formed."""

import store
from kpi.figures.basis import BaselineMonth
from store import figures, registry


def stored_baseline(conn: store.Connection, factory: registry.Factory) -> tuple[BaselineMonth, ...]:
    """Return the energy and the output of the baseline's months that have both.

    They stand in the newest figures of energy intensity, so that no fact has to be read again.
    """
    found = figures.latest(
        conn,
        factory.factory_id,
        kpi="energy_intensity",
        period_kind="month",
        since=factory.baseline_from,
        until=factory.baseline_to,
    )
    return tuple(
        BaselineMonth(
            start=each.period_start,
            end=each.period_end,
            tce=float(each.inputs["tce"]),
            standard_hours=float(each.inputs["standard_hours"]),
            coverage=each.coverage,
        )
        for each in sorted(found, key=lambda figure: figure.period_start)
        if each.point is not None
    )
