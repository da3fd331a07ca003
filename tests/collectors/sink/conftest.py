"""A city over TLS and a gateway that it knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.config.file import GatewayConfig
from tests.collectors.city import (
    City,
    city_of,
    enrolled_at,
    write_city_file,
)
from tests.collectors.plant import prepare_database
from tests.collectors.sink.test_sink import (
    SOURCE,
)


@pytest.fixture
def city(tmp_path: Path, database_url: str) -> Iterator[City]:
    prepare_database(database_url, ["A", "B"])
    (tmp_path / "city").mkdir()
    with city_of(database_url, tmp_path / "city") as found:
        yield found


@pytest.fixture
def config(city: City, tmp_path: Path) -> GatewayConfig:
    return enrolled_at(city, write_city_file(tmp_path, SOURCE, city))


@pytest.fixture
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a city that shut the gateway out again at once, and take a still ledger soon."""
    monkeypatch.setattr("collectors.sink.city._SHUT_OUT_S", 0.1)
    monkeypatch.setattr("collectors.sink.ledger._STILL_S", 0.5)
