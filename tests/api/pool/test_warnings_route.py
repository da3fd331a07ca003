"""GET /api/v1/factories/{code}/warnings."""

from datetime import date

from api.pool import night
from tests.api.conftest import served
from tests.api.people import client_of, secret_of
from tests.api.pool.feeds import Feed
from tests.api.pool.pooled import OTHER_COUNTY, Pooled

PATH = "/api/v1/factories/sample/warnings"
WARNINGS = "/api/v1/warnings"


def test_warnings_and_proposals_with_their_numbers(pooled: Pooled, database_url: str) -> None:
    feed = Feed(pooled.conn, pooled.factory_id)
    feed.facts(date(2025, 12, 1), pooled.today)
    number = feed.finding("P09", date(2026, 2, 1), pooled.today)
    pooled.conn.execute("UPDATE pool.membership SET entered_on = '2024-01-01'")
    night.run(pooled.conn, pooled.now)
    feed.finding_cleared(number, pooled.today)
    with served(database_url) as address:
        with client_of(address, secret_of(database_url)) as client:
            found = client.get(PATH).json()
            assert [each["name_zh"] for each in found["warnings"]] == ["数据合理性校验不通过"]
            assert found["warnings"][0]["numbers"]["findings"] == [number]
            assert found["proposals"][0]["steps"] == ["start_review"]
            (whole,) = client.get(WARNINGS).json()["items"]
            assert whole == found["warnings"][0] | {"factory": "sample"}
            night.run(pooled.conn, pooled.now)
            assert client.get(WARNINGS).json() == {"items": [], "next_after": None}
            gone = client.get(WARNINGS, params={"state": "cleared", "limit": 1}).json()
            assert [each["rule"] for each in gone["items"]] == ["implausible"]
            assert client.get(PATH).json()["warnings"] == []
            past = client.get(PATH, params={"ended": "true"}).json()["warnings"]
            assert past[0]["cleared_by"]["found"] == 0
        other = secret_of(database_url, "county_officer", region=OTHER_COUNTY)
        with client_of(address, other) as stranger:
            assert stranger.get(PATH).status_code == 404
            assert stranger.get(WARNINGS, params={"state": "all"}).json()["items"] == []
