"""Bringing figures up to date on a schedule, through failures and without a word too many."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from psycopg import sql

import store
from kpi.jobs import Refresher, last_full_hour, scheduled
from tests.kpi.plant import RUN, Plant, china
from tests.support.waiting import wait_for

LOGGER = "kpi.jobs.schedule"


@contextmanager
def away(server_url: str, database_url: str) -> Iterator[None]:
    """Let a database refuse everyone for the length of the block."""
    name = sql.Identifier(urlsplit(database_url).path.lstrip("/"))
    with closing(store.connect(server_url)) as server:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            yield
        finally:
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What the refresher said, by level and the beginning of its words."""
    return [
        (record.levelname, record.getMessage()[:30])
        for record in caplog.records
        if record.name == LOGGER
    ]


FAILED = ("WARNING", "figures are not all brought up")
RECOVERED = ("INFO", "figures are brought up to date")


def test_a_database_that_is_away_is_told_once_and_its_return_once(
    database_server: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    refresher = Refresher(database_url)
    with caplog.at_level(logging.INFO, LOGGER):
        refresher.refresh()
        assert said(caplog) == [], "all is well and no news"
        with away(database_server, database_url):
            for _ in range(3):
                refresher.refresh()
        assert said(caplog) == [FAILED]
        for _ in range(2):
            refresher.refresh()
        assert said(caplog) == [FAILED, RECOVERED]
        with away(database_server, database_url):
            refresher.refresh()
        assert said(caplog) == [FAILED, RECOVERED, FAILED]


def test_an_asset_that_fails_is_told_and_does_not_hold_the_figures_up(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=2)
    plant.send({"M01.state": [(hour_ago, RUN)], "M02.state": [(hour_ago, RUN)]})
    plant.conn.execute("UPDATE registry.tag SET state_map = 'gone' WHERE name = 'M01.state'")
    refresher = Refresher(plant.url)
    with caplog.at_level(logging.INFO, LOGGER):
        refresher.refresh()
        refresher.refresh()
    assert said(caplog) == [FAILED]
    formed = plant.conn.execute("SELECT count(*) FROM kpi.figure").fetchone()
    assert formed is not None
    assert formed[0] > 0


def test_the_schedule_runs_until_the_block_ends(plant: Plant) -> None:
    plant.send({"M01.state": [(datetime.now(UTC) - timedelta(hours=3), RUN)]})
    with scheduled(plant.url, every_s=1):
        wait_for(lambda: len(plant.fact_rows()) > 0, "the first facts")
    assert [each.name for each in threading.enumerate() if "APScheduler" in each.name] == []


@pytest.mark.parametrize(
    ("now", "hour"),
    [
        ("2026-03-02 08:00", "2026-03-02 08:00"),
        ("2026-03-02 08:59:59.999999", "2026-03-02 08:00"),
        ("2026-03-02 07:59", "2026-03-02 07:00"),
    ],
)
def test_the_last_full_hour_ends_where_the_running_one_begins(now: str, hour: str) -> None:
    assert last_full_hour(china(now)) == china(hour)
    assert last_full_hour(china(now)).tzinfo is UTC
