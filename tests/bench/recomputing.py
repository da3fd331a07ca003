"""What a bulk recomputation takes: memory for a factory-year, and time on one and two workers."""

import resource
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Any

import distributed

from kpi import jobs
from tests.bench.facts import Shop, filled
from tests.bench.ratio import Ratio

MOST_MB = 2000.0
DASK_TARGET = 1.6

_SHARED_MACHINES, _SHARED_DAYS = 6, 60
_REPEATS = 3


def memory(server_url: str, machines: int) -> Iterator[str]:
    """Recompute a year of so many machines, a row a minute of each tag, in a process of its own."""
    with ExitStack() as opened:
        shop = filled(opened, server_url, machines, 365)
        shop.mark()
        pool = opened.enter_context(jobs.local_crew(1))
        begin_s = time.perf_counter()
        peak_mb = pool.submit(_peak_mb, shop.url, shop.end).result()
        seconds = time.perf_counter() - begin_s
    word = "holds" if peak_mb <= MOST_MB else "does not hold"
    rows = machines * 3 * 525_600
    yield (
        f"a factory-year of {machines} machines ({rows:,} rows): {peak_mb:,.0f} MB at most in the "
        f"one worker, {seconds:,.0f} s; at most {MOST_MB:,.0f} MB {word}"
    )


def _peak_mb(url: str, now: datetime) -> float:
    jobs.run_facts(url, now)
    jobs.run_figures(url, now)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def sharing(server_url: str) -> Iterator[Ratio]:
    """Measure two workers against one, on processes and on Dask; the database shares the cores."""
    with ExitStack() as opened:
        shop = filled(opened, server_url, _SHARED_MACHINES, _SHARED_DAYS)
        for name, crew in (("processes", jobs.local_crew), ("Dask workers", _dask)):
            one = opened.enter_context(crew(1))
            two = opened.enter_context(crew(2))
            for pool in (one, two):
                _recompute(shop, pool)  # starts the workers
            times = [(_recompute(shop, one), _recompute(shop, two)) for _ in range(_REPEATS)]
            yield Ratio(
                what=f"recomputing on two {name}",
                against="on one",
                target=DASK_TARGET,
                values=tuple(one_s / two_s for one_s, two_s in times),
                note=f"{min(two_s for _, two_s in times):.1f} s",
            )


@contextmanager
def _dask(workers: int) -> Iterator[Executor]:
    make: Any = distributed.LocalCluster
    cluster: AbstractContextManager[Any] = make(
        n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    )
    with cluster as found, jobs.dask_crew(found.scheduler_address) as pool:
        yield pool


def _recompute(shop: Shop, pool: Executor) -> float:
    shop.mark()
    begin_s = time.perf_counter()
    jobs.recompute_marked(shop.url, [shop.factory], shop.end, pool)
    return time.perf_counter() - begin_s
