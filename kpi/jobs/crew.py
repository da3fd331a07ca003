"""Who does the work of a bulk recomputation: processes of this machine, or a Dask cluster."""

import importlib
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from kpi.errors import ClusterUnavailable

_CONNECT_S = 10
_TASKS_A_CHILD = 50  # what a process has grown by is given back


@contextmanager
def local_crew(workers: int | None = None) -> Iterator[Executor]:
    """Hold so many processes, by default one for each processor."""
    count = workers or os.cpu_count() or 1
    # Spawned: a fork would share the database connections of this process.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, max_tasks_per_child=_TASKS_A_CHILD)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def dask_crew(address: str) -> Iterator[Executor]:
    """Hold a connection to a Dask scheduler such as `tcp://host:8786`.

    Its workers need Millpond installed and reach the database by the same URL. Raises
    ClusterUnavailable when Dask is not installed or nobody answers within 10 s.
    """
    try:
        distributed: Any = importlib.import_module("distributed")  # optional, and not typed
    except ImportError as error:
        raise ClusterUnavailable("Dask is not installed; pip install 'millpond[dask]'") from error
    try:
        client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterUnavailable(f"no Dask scheduler answers at {address}: {error}") from error
    try:
        # Not pure: the same asset is another piece of work when its hours are dirty again.
        yield client.get_executor(pure=False)
    finally:
        client.close()
