"""Fixtures for every package: a real TimescaleDB database per test and a real MQTT broker."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from types import FrameType
from typing import Any

import pytest
from hypothesis import settings

import store
from deploy.broker import EmbeddedBroker
from tests.support import ports
from tests.support.database import (
    cloned_database,
    ensure_template,
    scratch_home,
)
from tests.support.database import database_server as running_server

_CLUSTER_URL = "millpond_cluster_url"
_shared = pytest.StashKey[tuple[ExitStack, str]]()


# Workers in parallel get the width of the terminal; what is printed must not depend on it.
os.environ.pop("COLUMNS", None)
# No test trusts the world's authorities, and a file of them takes each client 50 ms to read.
os.environ.pop("SSL_CERT_FILE", None)
# Tests start some hundred interpreters; what the first has compiled, the others need not.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Properties are tried with the same examples in every run, without a time limit that a busy machine
# would miss, and leave no file behind. `--hypothesis-profile explore` looks for other examples.
settings.register_profile("explore", deadline=None, database=None)
settings.register_profile("millpond", settings.get_profile("explore"), derandomize=True)
settings.load_profile("millpond")


def pytest_configure() -> None:
    """Clean up on SIGTERM as on Ctrl-C: a cancelled run must leave no cluster behind."""
    signal.signal(signal.SIGTERM, _interrupt_once)
    # A shell has what it runs in the background ignore Ctrl-C, `nohup` the end of the terminal,
    # and so would all that a test starts.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _interrupt_once(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # `timeout` sends it twice
    raise KeyboardInterrupt


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give every worker of pytest-xdist the same server; this runs in the controller alone."""
    stash = node.config.stash
    if _shared not in stash:
        opened = ExitStack()
        stash[_shared] = (opened, opened.enter_context(running_server()))
    node.workerinput[_CLUSTER_URL] = stash[_shared][1]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the workers' server."""
    if _shared in config.stash:
        config.stash[_shared][0].close()


@pytest.fixture(scope="session")
def database_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a TimescaleDB server with the migrated template; started when first asked for.

    MILLPOND_DATABASE_URL names one of the user's instead.
    """
    with ExitStack() as opened:
        shared: dict[str, str] = getattr(request.config, "workerinput", {})
        url = shared.get(_CLUSTER_URL) or opened.enter_context(running_server())
        ensure_template(url)
        yield url


@pytest.fixture
def database_url(database_server: str) -> Iterator[str]:
    """URL of an empty, migrated database of this test's own."""
    with cloned_database(database_server) as url:
        yield url


@pytest.fixture
def db(database_url: str) -> Iterator[store.Connection]:
    """An open connection to this test's own database."""
    with closing(store.connect(database_url)) as connection:
        yield connection


@pytest.fixture(scope="session")
def broker() -> Iterator[EmbeddedBroker]:
    """A running mosquitto with `.host`, `.port` and `.url`; tests share it, so use own topics."""
    with _running_broker() as running:
        yield running


@pytest.fixture
def own_broker() -> Iterator[EmbeddedBroker]:
    """A broker that a test may stop."""
    with _running_broker() as running:
        yield running


@contextmanager
def _running_broker() -> Iterator[EmbeddedBroker]:
    running = EmbeddedBroker(scratch_home("broker"))
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture
def free_port() -> int:
    """A loopback TCP port that nobody listens on."""
    return ports.free_port()
