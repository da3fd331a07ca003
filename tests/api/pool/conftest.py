"""Fixtures of the follow-up's tests."""

from collections.abc import Iterator

import pytest

import store
from tests.api.pool.asking import Asking, asked
from tests.api.pool.disputing import Disputing
from tests.api.pool.pooled import Pooled
from tests.api.pool.reporting import Reporting


@pytest.fixture
def pooled(db: store.Connection) -> Pooled:
    """The sample factory in the pool, in this test's own database."""
    return Pooled.load(db)


@pytest.fixture
def reporting(pooled: Pooled) -> Reporting:
    """The sample factory with the report of a quarter, in this test's own database."""
    return Reporting.load(pooled)


@pytest.fixture
def disputing(reporting: Reporting) -> Disputing:
    """The sample factory with a file at hand, and a verified OEE that it may dispute."""
    return Disputing(reporting)


@pytest.fixture
def asking(pooled: Pooled, database_url: str) -> Iterator[Asking]:
    """The sample factory in the pool behind a running server."""
    with asked(pooled, database_url) as found:
        yield found
