"""One factory's rolling year beside its promise and its report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import store.disputes
import store.pool
from api import kpis
from api.errors import NotFound
from store import Connection
from store.disputes import Settled
from store.pool import Compared, RollingYear
from store.registry import Factory


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of each KPI in one rolling year, in the order of pages.

    Without a year nothing was computed yet, and the rows hold the promises alone. `settled` is by
    KPI what counts as verified for the verdicts since a dispute was decided; the figures stay.
    """

    factory: Factory
    year: RollingYear | None
    years: tuple[RollingYear, ...]
    rows: tuple[Compared, ...]
    settled: Mapping[str, Settled] = field(default_factory=dict)

    @property
    def is_judged(self) -> bool:
        """Whether promises apply: not in a year that begins before renovation."""
        return self.year is None or self.year.period_start >= self.factory.renovated_on


def load(conn: Connection, factory: Factory, period_start: date | None = None) -> Comparison:
    """Return the comparison of a rolling year, by default of the newest that was judged.

    Raises NotFound for a year of which there is neither figure nor verdict.
    """
    years = tuple(store.pool.rolling_years(conn, factory.factory_id))
    year = _chosen(conn, factory, years, period_start)
    # Before the first year is closed the promises are there already.
    asked = year or RollingYear(factory.renovated_on, factory.renovated_on)
    rows = store.pool.comparisons(conn, factory.factory_id, asked)
    known = (row for row in rows if kpis.known(row.kpi))
    ordered = tuple(sorted(known, key=lambda row: kpis.place(row.kpi)))
    return Comparison(factory, year, years, ordered, _settled(conn, factory, year, ordered))


def _settled(
    conn: Connection, factory: Factory, year: RollingYear | None, rows: tuple[Compared, ...]
) -> dict[str, Settled]:
    if year is None:
        return {}
    names = {each.kpi for each in rows if each.expected_value is not None}
    found = store.disputes.settled(conn, factory.factory_id, names, {year.period_start})
    return {each.kpi: each for each in found if each.period_end == year.period_end}


def _chosen(
    conn: Connection, factory: Factory, years: tuple[RollingYear, ...], period_start: date | None
) -> RollingYear | None:
    if period_start is None:
        decided = store.pool.newest_decided_year(conn, factory.factory_id)
        return decided or next(iter(years), None)
    for year in years:
        if year.period_start == period_start:
            return year
    raise NotFound(
        f"{factory.code} has no rolling year that starts on {period_start}; "
        "leave period_start out for the newest"
    )


def fulfilment_word(found: Comparison, row: Compared) -> str | None:
    """Return the fulfilment verdict, pending before the first one.

    None where nothing was promised, and for a year that begins before renovation.
    """
    if row.expected_value is None:
        return None
    if row.fulfilment_verdict is None and not found.is_judged:
        return None
    return row.fulfilment_verdict or "pending"


def consistency_word(row: Compared) -> str | None:
    """Return the consistency verdict, or None where nothing was reported."""
    if row.reported_value is None:
        return None
    return row.consistency_verdict or "unknown"
