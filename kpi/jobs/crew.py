"""Who does the work of a bulk recomputation: processes of this machine, or a Dask cluster."""

import importlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from kpi.errors import ClusterUnavailable

_CONNECT_S = 10
_TASKS_A_CHILD = 50  # what a process has grown by is given back


class _Processes(Executor):
    """Processes of this machine; where one was killed, new ones take what is submitted next."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        # Spawned: a fork would share the database connections of this process.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._count, context, max_tasks_per_child=_TASKS_A_CHILD)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a call made by a process."""
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = self._new()
            return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


@contextmanager
def local_crew(workers: int | None = None) -> Iterator[Executor]:
    """Hold so many processes, by default one for each processor."""
    pool = _Processes(workers or os.cpu_count() or 1)
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
