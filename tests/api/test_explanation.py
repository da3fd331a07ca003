"""A figure's explanation over REST."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import httpx
import pytest

import store
import store.retention
from store.retention import Seal
from tests.api.conftest import served
from tests.api.html import parse
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


def test_the_page_of_a_figure_leads_down_to_who_signed(asked: httpx.Client) -> None:
    answer = asked.get("/factories/sample/figures/oee/month/2026-03-01").raise_for_status()
    found = parse(answer.text)
    assert found.one("h1").text == "设备综合利用率 OEE：数据依据"
    steps = [each.text for each in found.one("ol", "chain").all("li")]
    assert steps[0].startswith("2 台（套）设备和系统的 ")
    assert steps[-1] == "数据来自 1 个网关的 2 个数据批，签名全部有效"
    tables = {each.one("caption").text: each.one("tbody").all("tr") for each in found.all("table")}
    assert [row.one("th").text for row in tables["各设备小时事实合计"]] == [
        "M01 示例机床 M01",
        "M02 示例机床 M02",
    ]
    assert [row.all("td")[4].text for row in tables["数据批"]] == ["有效", "有效"]
    assert tables["由谁签名"][0].one("th").text == "gw-sample"
    assert any(each.attributes["href"].startswith("/factories/sample?") for each in found.all("a"))


def test_the_page_of_a_figure_that_is_not_there_says_so(asked: httpx.Client) -> None:
    answer = asked.get("/factories/sample/figures/oee/month/2030-01-01")
    assert answer.status_code == 404
    assert parse(answer.text).one("h1").text


def test_a_figure_whose_rows_went_says_so(formed: Plant, asked: httpx.Client) -> None:
    gone = datetime(2026, 3, 3, tzinfo=UTC)
    seal = Seal(None, date(2026, 4, 1), gone, ("run_s",), 0, bytes(32))
    with store.transaction(formed.conn):
        store.retention.seal(formed.conn, formed.factory_id, seal, "operator")
    found = asked.get(f"{FIGURES}/oee/month/2026-03-01/explanation").raise_for_status().json()
    assert datetime.fromisoformat(found["rows_from"]) == gone
    page = parse(asked.get("/factories/sample/figures/oee/month/2026-03-01").text)
    assert "已期满清理" in page.one("ol", "chain").all("li")[-1].text
