"""Places to log in to."""

from collections.abc import Iterator
from contextlib import closing

import pytest

import store
from api import passwords
from tests.api.conftest import served
from tests.api.login.place import GOOD, PLAIN, Place


@pytest.fixture(scope="session")
def good_hash() -> str:
    """The hash of the password that the tests' accounts have."""
    return passwords.hashed(GOOD)


@pytest.fixture
def place(database_url: str, good_hash: str) -> Iterator[Place]:
    """A database without a second factor, as a sample city is shown."""
    with (
        served(database_url, access=PLAIN) as address,
        closing(store.connect(database_url)) as conn,
    ):
        yield Place(address, conn, good_hash)


@pytest.fixture
def strict(database_url: str, good_hash: str) -> Iterator[Place]:
    """A database as it is served by default."""
    with served(database_url) as address, closing(store.connect(database_url)) as conn:
        yield Place(address, conn, good_hash)
