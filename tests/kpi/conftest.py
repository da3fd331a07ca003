"""A tiny factory in a database of the test's own."""

import pytest

import store
from tests.kpi.plant import Plant


@pytest.fixture
def plant(db: store.Connection, database_url: str) -> Plant:
    """A factory whose plan is loaded, with a gateway."""
    return Plant.load(db, database_url)
