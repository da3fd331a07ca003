"""Fixtures of the documents' tests."""

import pytest

import store
from tests.api.pool.pooled import Pooled


@pytest.fixture
def pooled(db: store.Connection) -> Pooled:
    """The sample factory in the pool, in this test's own database."""
    return Pooled.load(db)
