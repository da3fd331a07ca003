"""A figure's explanation over REST."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.conftest import served
from tests.api.people import client_of, secret_of
from tests.kpi.plant import Plant
from tests.kpi.provenance.conftest import formed

__all__ = ["formed"]

FIGURES = "/api/v1/factories/sample/figures"


@pytest.fixture
def asked(formed: Plant) -> Iterator[httpx.Client]:
    """A client of a city that has one factory with a month of data."""
    with served(formed.url) as address, client_of(address, secret_of(formed.url)) as client:
        yield client


def test_a_figure_is_explained_down_to_signed_batches(asked: httpx.Client) -> None:
    answer = asked.get(f"{FIGURES}/oee/month/2026-03-01/explanation")
    found = answer.raise_for_status().json()
    assert found["period"] == {"start": "2026-03-01", "end": "2026-04-01"}
    assert [batch["seq"] for batch in found["batches"]] == [2, 3]
    assert all(batch["signature_ok"] for batch in found["batches"])
    assert found["gateways"][0]["gateway"] == "gw-sample"
    assert [facts["asset"] for facts in found["facts"]] == ["M01", "M02"]


@pytest.mark.parametrize(
    "query", ["month/2030-01-01/explanation", "month/2026-03-01/explanation?revision=9"]
)
def test_a_figure_that_is_not_there(asked: httpx.Client, query: str) -> None:
    answer = asked.get(f"{FIGURES}/oee/{query}")
    assert answer.status_code == 404
    assert "has no such figure oee" in answer.json()["detail"]
