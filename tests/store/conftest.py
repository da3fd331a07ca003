"""Fixtures of the store's tests: a loaded plan and an enrolled gateway."""

import pytest

import store
from tests.store.samples import Gateway, enrol, with_plan


@pytest.fixture
def factory_id(db: store.Connection) -> int:
    """The number of a factory whose sample plan is loaded."""
    return with_plan(db)


@pytest.fixture
def gateway(db: store.Connection, factory_id: int) -> Gateway:
    """An enrolled gateway of the sample factory."""
    return enrol(db)
