"""A sample pool in a real database, served by a real server, seen by a real browser."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher
from playwright.sync_api import Browser, sync_playwright

import api.server
import store
from api import passwords
from api.access import AccessPolicy
from api.peer import Tls
from api.provider import Provider
from tests.api import samples
from tests.api.people import client_of, secret_of
from tests.support.database import cloned_database
from tests.support.ports import free_port
from tests.support.waiting import wait_for

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> Iterator[None]:
    """Hashes of passwords that cost next to nothing; one test looks at the real ones."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_HASHER", cheap)
        yield


@contextmanager
def served(
    database_url: str,
    *,
    tls: Tls | None = None,
    certificate_header: str | None = None,
    names: tuple[str, ...] = (),
    access: AccessPolicy | None = None,
    provider: Provider | None = None,
) -> Iterator[str]:
    """Serve a database on a free port for the length of the block; yield the address."""
    port = free_port()
    config = api.server.config(
        database_url, "127.0.0.1", port,
        tls=tls, certificate_header=certificate_header, names=names, access=access,
        provider=provider,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="served")
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), "the server to start")
        assert server.started, "the server ended at once"
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="session")
def sample_url(database_server: str) -> Iterator[str]:
    """Database with the sample pool; tests only read it."""
    with cloned_database(database_server) as url:
        with closing(store.connect(url)) as conn:
            samples.load(conn)
        yield url


@pytest.fixture(scope="session")
def address(sample_url: str) -> Iterator[str]:
    """Address of a server of the sample pool."""
    with served(sample_url) as found:
        yield found


@pytest.fixture(scope="session")
def officer(sample_url: str) -> str:
    """The secret of a session of a city officer of the sample pool, who sees all of it."""
    return secret_of(sample_url)


@pytest.fixture
def client(address: str, officer: str) -> Iterator[httpx.Client]:
    """HTTP client of a city officer of the sample pool, without cookies of other tests."""
    with client_of(address, officer) as found:
        yield found


@pytest.fixture
def stranger(address: str) -> Iterator[httpx.Client]:
    """HTTP client of the sample pool that nobody is logged in with."""
    with httpx.Client(base_url=address, timeout=30) as found:
        yield found


@pytest.fixture
def own_client(database_url: str) -> Iterator[httpx.Client]:
    """HTTP client of a city officer of this test's own, empty database."""
    secret = secret_of(database_url)
    with served(database_url) as found, client_of(found, secret) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium without a window.

    Playwright keeps an event loop running in this thread, in which no other test could run one of
    its own: it ends with the module.
    """
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()
