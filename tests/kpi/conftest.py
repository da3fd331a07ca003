"""Settings of the property tests, and a tiny factory in a database of the test's own."""

import pytest
from hypothesis import settings

import store
from tests.kpi.plant import Plant

# No time limit: a busy machine is no failure. No example store: a test leaves no file behind.
settings.register_profile("millpond", deadline=None, database=None)
settings.load_profile("millpond")


@pytest.fixture
def plant(db: store.Connection, database_url: str) -> Plant:
    """A factory whose plan is loaded, with a gateway."""
    return Plant.load(db, database_url)
