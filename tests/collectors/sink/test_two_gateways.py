"""Two gateways that were given one identity: one sends, the other keeps its data and says why."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

import store
from collectors.config.file import GatewayConfig, load
from collectors.enrolment import enrol
from collectors.gateway_status import status
from collectors.identity import load_or_make_key
from collectors.sample import Delivery, Sample
from collectors.sink.choice import transport_for
from collectors.sink.sink import Sink
from collectors.skew import SkewMeter
from collectors.spool.bounds import Bounds
from collectors.spool.spool import Spool
from collectors.status import GOOD
from tests.collectors.plant import FACTORY, prepare_database, rows_of, write_file
from tests.collectors.sink.test_sink import FIRST_US, SOURCE, ledger
from tests.support.waiting import wait_for


@pytest.fixture
def pair(tmp_path: Path, database_url: str) -> tuple[GatewayConfig, GatewayConfig]:
    """Return the files of two gateways with one id and one key, each with its own spool."""
    prepare_database(database_url, ["A", "B"])
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = (load(write_file(folder, SOURCE, database_url)) for folder in folders)
    enrol(one, FACTORY)
    two.key_path.write_bytes(one.key_path.read_bytes())
    return one, two


@contextmanager
def sending(config: GatewayConfig) -> Iterator[Sink]:
    sink = Sink(config, transport_for(config), load_or_make_key(config.key_path), SkewMeter())
    sink.start()
    try:
        yield sink
    finally:
        sink.stop(10)


def put(config: GatewayConfig, tag: str, first: int, count: int) -> None:
    with closing(Spool(config.spool_path, Bounds(10**9, 1e9))) as spool:
        rows = [Sample(tag, FIRST_US + n, float(n), GOOD) for n in range(first, first + count)]
        spool.append([("meters", Delivery(samples=rows))])


def has_sent(config: GatewayConfig, rows: int) -> bool:
    return status(config).rows_sent == rows


def chain(url: str) -> list[tuple[bytes, bytes]]:
    with closing(store.connect(url)) as conn:
        return conn.execute(
            "SELECT prev_sha256, sha256 FROM telemetry.batch ORDER BY seq"
        ).fetchall()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]


def test_the_second_gateway_stops_sending_with_one_line_and_keeps_its_data(
    pair: tuple[GatewayConfig, GatewayConfig],
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Longer than a busy machine keeps the first one from sending.
    monkeypatch.setattr("collectors.sink.ledger._STILL_S", 5.0)
    one, two = pair
    with sending(one), sending(two) as second:
        put(one, "A", 0, 10)
        wait_for(lambda: status(one).rows_sent == 10, "the first gateway's rows")
        # A gateway that lives moves the ledger more often than the other one is patient.
        put(two, "B", 0, 10)
        until_s = time.monotonic() + 8
        sent = 10
        while time.monotonic() < until_s or second.failure is None:
            assert time.monotonic() < until_s + 30
            put(one, "A", sent, 1)
            sent += 1
            wait_for(partial(has_sent, one, sent), "the next row of the first")
        assert status(two).rows_sent == 0
        assert status(two).backlog_rows == 10
        assert second.failure is not None
        assert "another gateway sends as gw-test" in second.failure
        assert "stop one of the two" in second.failure
        assert len(errors(caplog)) == 1
    assert {row[0] for row in rows_of(database_url)} == {"A"}
    follow_each_other(database_url)


def test_when_the_other_is_stopped_its_data_are_sent(
    pair: tuple[GatewayConfig, GatewayConfig],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collectors.sink.ledger._STILL_S", 1.0)
    one, two = pair
    put(one, "A", 0, 10)
    with sending(one):
        wait_for(lambda: status(one).rows_sent == 10, "the first gateway's rows")
    put(two, "B", 0, 10)
    with sending(two):
        wait_for(lambda: status(two).rows_sent == 10, "the second gateway's rows")
    assert len(rows_of(database_url)) == 20
    follow_each_other(database_url)


def test_a_number_that_was_taken_while_both_sent_breaks_no_chain(
    pair: tuple[GatewayConfig, GatewayConfig],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both start on an empty ledger at once: whoever comes second stands back, then follows."""
    monkeypatch.setattr("collectors.sink.ledger._STILL_S", 1.0)
    one, two = pair
    put(one, "A", 0, 500)
    put(two, "B", 0, 500)
    with sending(one), sending(two):
        wait_for(
            lambda: status(one).rows_sent == status(two).rows_sent == 500, "both", timeout_s=60
        )
    assert len(rows_of(database_url)) == 1000
    assert status(one).batches_aside == status(two).batches_aside == 0
    follow_each_other(database_url)


def follow_each_other(url: str) -> None:
    """Check that the ledger is one chain without a hole."""
    assert [row[0] for row in ledger(url)] == list(range(1, len(ledger(url)) + 1))
    before = bytes(32)
    for prev, sha256 in chain(url):
        assert bytes(prev) == before
        before = bytes(sha256)
