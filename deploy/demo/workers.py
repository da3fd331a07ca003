"""Processes that share the demo's work, and what they tell meanwhile."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import (
    active_children,
    forkserver,
    get_context,
    parent_process,
    resource_tracker,
)
from multiprocessing.connection import wait
from multiprocessing.queues import Queue

from deploy.errors import WorkerLost

# A few hundred in all; whoever tells something never waits long.
_MOST_NEWS = 10_000
_TELL_WITHIN_S = 60.0
# Imported once, before the first worker is forked.
_PRELOADED = ["deploy.demo.history", "kpi.jobs"]

# Of what, how many rows so far, and which share of the work that is.
News = tuple[str, int, float]


@dataclass(frozen=True)
class Workers:
    """A pool of processes, and the news from the work in it."""

    pool: Executor
    news: "Queue[News]"


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """Hold a pool for the length of the block; when the block fails, its work is cut off."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    # First, because it lets Ctrl-C through again when it starts.
    with _held(signal.SIGHUP):
        resource_tracker.ensure_running()
    with _held(signal.SIGINT, signal.SIGHUP):
        forkserver.ensure_running()
    news: Queue[News] = context.Queue(_MOST_NEWS)
    with ProcessPoolExecutor(
        count, mp_context=context, initializer=_begin, initargs=(news,)
    ) as pool:
        try:
            yield Workers(pool, news)
        except BrokenProcessPool as error:
            raise WorkerLost("a worker was killed; is there enough memory? (3 GB)") from error
        except BaseException:
            for worker in active_children():
                worker.terminate()
            raise


def tell(news: News) -> None:
    """Send news from a worker to whoever holds the pool."""
    if _outlet is not None:
        _outlet.put(news, timeout=_TELL_WITHIN_S)


_outlet: "Queue[News] | None" = None


def _begin(outlet: "Queue[News]") -> None:
    global _outlet
    _outlet = outlet
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the holder of the pool was killed: nobody would stop us then."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


@contextmanager
def _held(*numbers: signal.Signals) -> Iterator[None]:
    """Keep a terminal's signals from what is started meanwhile, for good; for us they wait."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
