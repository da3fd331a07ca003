"""Fixtures of the store's tests: a loaded plan and an enrolled gateway."""

from collections.abc import Iterator
from contextlib import closing

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


@pytest.fixture
def second(database_url: str) -> Iterator[store.Connection]:
    """Another connection to this test's database."""
    with closing(store.connect(database_url)) as conn:
        yield conn
