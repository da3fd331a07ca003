"""Bulk recomputation: any range of any factories, on many processes or machines.

The range becomes dirty marks in one transaction; workers take them asset by asset and commit piece
by piece. Whatever is interrupted is therefore taken up where it stopped, by whoever comes next.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from datetime import date, datetime
from functools import partial

import store
from kpi.calendar import local_midnight
from kpi.errors import NotFormable
from kpi.jobs.basis import Progress, last_full_hour, run_job
from kpi.jobs.fact_job import recompute_asset
from kpi.jobs.reading import first_hour
from store import facts, registry, retention


def mark_range(
    conn: store.Connection,
    factories: Sequence[registry.Factory],
    start: date | None,
    end: date | None,
    now: datetime,
) -> None:
    """Mark the hours of local days [start, end) of some factories, all or none.

    Without a start from the baseline on, or from what is final; without an end up to the last full
    hour. Raises NotFormable where the start lies before what is final.
    """
    until = last_full_hour(now)
    with store.transaction(conn):
        for factory in factories:
            zone = factory.timezone
            begins = local_midnight(
                max(start or factory.baseline_from, factory.baseline_from), zone
            )
            final = retention.horizon(conn, factory.factory_id)
            if final is not None and start is not None and start < final.final_until:
                raise NotFormable(
                    f"{factory.code}: the days before {final.final_until} are final, their rows "
                    f"were dropped; give --from {final.final_until} or later"
                )
            begins = max(begins, first_hour(conn, factory))
            ends = min(local_midnight(end, zone), until) if end else until
            if begins < ends:
                facts.mark_recorded_hours(conn, factory.factory_id, begins, ends)


def recompute_marked(
    url: str,
    factories: Sequence[registry.Factory],
    now: datetime,
    pool: Executor | None = None,
    progress: Progress | None = None,
) -> int:
    """Recompute the dirty hours of some factories; return how many assets had some."""
    before = last_full_hour(now)
    with closing(store.connect(url)) as conn:
        assets = [
            asset_id
            for factory in factories
            for asset_id in facts.dirty_assets(conn, before, factory.factory_id)
        ]
    work = {f"asset {each}": partial(recompute_asset, url, each, before) for each in assets}
    run_job(url, "facts", work, pool, progress)
    return len(assets)
