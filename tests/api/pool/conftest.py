"""Fixtures of the follow-up's tests."""

import pytest

import store
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
