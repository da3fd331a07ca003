"""The sink against a real database that is down, not enrolled, ahead, or refuses something."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

import store
from collectors import gateway
from collectors.config.file import GatewayConfig, load
from collectors.enrolment import enrol
from collectors.errors import SpoolError
from collectors.gateway_status import status
from collectors.identity import load_or_make_key
from collectors.sample import Delivery, Refused, Sample
from collectors.sink.choice import transport_for
from collectors.sink.sink import Sink
from collectors.skew import SkewMeter
from collectors.spool.bounds import Bounds
from collectors.spool.spool import Spool
from collectors.status import GOOD
from store.canonical import Record
from store.plans import load_plan
from tests.collectors.plant import (
    FACTORY,
    GATEWAY,
    meter_source,
    plan,
    prepare_database,
    rows_of,
    running,
    write_file,
)
from tests.collectors.proxy import Proxy, proxied
from tests.collectors.servers import loop_thread
from tests.support.waiting import wait_for

SOURCE = meter_source("A")
AT = datetime(2026, 3, 1, tzinfo=UTC)
FIRST_US = 1_772_323_200_000_000


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> GatewayConfig:
    prepare_database(database_url, ["A", "B"])
    return load(write_file(tmp_path, SOURCE, database_url))


@pytest.fixture
def soon_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a ledger for one that nobody else continues after half a second."""
    monkeypatch.setattr("collectors.sink.ledger._STILL_S", 0.5)


@contextmanager
def sink_of(config: GatewayConfig, skew: SkewMeter | None = None) -> Iterator[None]:
    """Run only the sink of a gateway."""
    seed = load_or_make_key(config.key_path)
    sink = Sink(config, transport_for(config), seed, skew or SkewMeter())
    sink.start()
    try:
        yield
    finally:
        sink.stop(10)


def put(config: GatewayConfig, *deliveries: Delivery) -> None:
    spool = Spool(config.spool_path, Bounds(10**9, 1e9))
    spool.append([("meters", delivery) for delivery in deliveries])
    spool.close()


def samples(tag: str, first: int, count: int) -> Delivery:
    return Delivery(
        samples=[Sample(tag, FIRST_US + n, float(n), GOOD) for n in range(first, first + count)]
    )


def sent(config: GatewayConfig) -> int:
    return status(config).rows_sent


def ledger(url: str) -> list[tuple[int, int, int]]:
    with closing(store.connect(url)) as conn:
        return conn.execute(
            "SELECT seq, row_count, record_count FROM telemetry.batch ORDER BY seq"
        ).fetchall()


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "collectors.sink" and record.levelno >= logging.WARNING
    ]


def test_a_database_that_is_down_gets_everything_when_it_is_back(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    prepare_database(database_url, ["A"])
    enrol(load(write_file(tmp_path, SOURCE, database_url)), FACTORY)
    with loop_thread() as loop, proxied(loop, database_url) as (proxy, url):
        config = load(write_file(tmp_path, SOURCE, url))
        put(config, samples("A", 0, 10))
        with sink_of(config):
            wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
            put(config, samples("A", 10, 10))
            assert status(config).backlog_rows == 20
            proxy.up()
            wait_for(lambda: sent(config) == 20, "the backlog", timeout_s=60)
            proxy.down()
            put(config, samples("A", 20, 10))
            wait_for(lambda: len(told(caplog)) == 3, "the line that it fails again")
            assert sent(config) == 20
            proxy.up()
            wait_for(lambda: sent(config) == 30, "the rest", timeout_s=60)
            wait_for(lambda: len(told(caplog)) == 4, "the line that it is back")
    assert [row[1] - FIRST_US for row in rows_of(database_url)] == list(range(30))
    assert status(config).backlog_rows == 0
    fails, back, fails_again, back_again = told(caplog)
    assert fails.startswith("the database does not take data")
    assert fails_again.startswith("the database does not take data")
    assert back.startswith("the database takes data again")
    assert back_again.startswith("the database takes data again")


def test_a_gateway_that_is_not_enrolled_keeps_its_data(
    config: GatewayConfig, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(config, samples("A", 0, 5))
    with sink_of(config):
        wait_for(lambda: len(told(caplog)) == 1, "the line")
        assert "not enrolled" in told(caplog)[0]
        assert "millpond collector enrol" in told(caplog)[0]
        enrol(config, FACTORY)
        wait_for(lambda: sent(config) == 5, "the rows", timeout_s=60)
    assert len(rows_of(database_url)) == 5


def test_a_key_that_was_replaced_waits_for_enrolment(
    config: GatewayConfig, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    enrol(config, FACTORY)
    config.key_path.unlink()
    put(config, samples("A", 0, 5))
    with sink_of(config):
        wait_for(lambda: len(told(caplog)) == 1, "the line")
        assert "not signed with the key" in told(caplog)[0]
        assert status(config).backlog_rows == 5
        enrol(config, FACTORY)
        wait_for(lambda: sent(config) == 5, "the rows", timeout_s=60)
    assert status(config).batches_aside == 0


def test_rows_wait_for_a_tag_that_the_plan_gets_later(
    config: GatewayConfig,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collectors.sink.sink._TAGS_EVERY_S", 0.2)
    enrol(config, FACTORY)
    put(config, samples("A", 0, 5), samples("new", 0, 3))
    with sink_of(config):
        wait_for(lambda: sent(config) == 5, "the known tag")
        assert status(config).unknown_tags == ("new",)
        with closing(store.connect(database_url)) as conn:
            load_plan(conn, plan(["A", "B", "new"]))
        wait_for(lambda: sent(config) == 8, "the new tag")
    assert told(caplog) == ["1 tags are not in the plan, their rows wait: new"]


def test_a_spool_that_was_lost_continues_behind_the_ledger(
    config: GatewayConfig, database_url: str, soon_still: None
) -> None:
    enrol(config, FACTORY)
    put(config, samples("A", 0, 5))
    with sink_of(config):
        wait_for(lambda: sent(config) == 5, "the first batch")
    for path in config.spool_path.parent.glob("spool.db*"):
        path.unlink()
    put(config, samples("A", 3, 5))
    with sink_of(config):
        wait_for(lambda: sent(config) == 5, "the second batch")
    assert ledger(database_url) == [(1, 5, 0), (2, 5, 0)]
    assert [row[1] - FIRST_US for row in rows_of(database_url)] == list(range(8))


def test_an_old_copy_of_a_spool_loses_nothing_and_is_found(
    config: GatewayConfig, database_url: str, soon_still: None
) -> None:
    """The copy holds a batch of a number that the ledger has with other content by now."""
    enrol(config, FACTORY)
    put(config, samples("A", 0, 5))
    old = config.spool_path.read_bytes()
    wal = config.spool_path.with_name("spool.db-wal")
    assert not wal.exists()
    with sink_of(config):
        wait_for(lambda: sent(config) == 5, "the first batch")
    put(config, samples("A", 5, 5))
    with sink_of(config):
        wait_for(lambda: sent(config) == 10, "the second batch")
    for path in config.spool_path.parent.glob("spool.db*"):
        path.unlink()
    config.spool_path.write_bytes(old)
    put(config, samples("B", 0, 2))
    with sink_of(config):
        wait_for(lambda: sent(config) == 7, "all of the copy")
    assert [row[0] for row in ledger(database_url)] == [1, 2, 3]
    assert len(rows_of(database_url)) == 12
    assert status(config).batches_aside == 0


def test_what_the_database_refuses_for_good_goes_aside_alone(
    config: GatewayConfig, database_url: str
) -> None:
    enrol(config, FACTORY)
    poison = Record("order_line", "bad", AT, {"text": "\0"})
    good = [Record("order_line", f"SO{n}", AT, {"n": n}) for n in range(5)]
    put(config, samples("A", 0, 50), Delivery(records=[*good[:3], poison, *good[3:]]))
    put(config, samples("B", 0, 50))
    with sink_of(config):
        wait_for(lambda: status(config).records_sent == 5, "the good records")
        wait_for(lambda: sent(config) == 100, "all rows")
    found = status(config)
    assert (found.batches_aside, found.backlog_rows, found.backlog_records) == (1, 0, 0)
    numbers = [row[0] for row in ledger(database_url)]
    assert numbers == list(range(1, len(numbers) + 1))
    with closing(store.connect(database_url)) as conn:
        keys = conn.execute("SELECT key FROM telemetry.record ORDER BY key").fetchall()
    assert keys == [(f"SO{n}",) for n in range(5)]


def test_what_could_not_be_understood_reaches_the_database(
    config: GatewayConfig, database_url: str
) -> None:
    enrol(config, FACTORY)
    put(config, Delivery(refused=[Refused("t: not JSON", "{"), Refused("t: no value", "{}")]))

    def found() -> list[tuple[str, str, str]]:
        with closing(store.connect(database_url)) as conn:
            return conn.execute(
                "SELECT source, reason, payload FROM telemetry.quarantine ORDER BY quarantine_id"
            ).fetchall()

    with sink_of(config):
        wait_for(lambda: len(found()) == 2, "both")
    with sink_of(config):
        put(config, samples("A", 0, 1))
        wait_for(lambda: sent(config) == 1, "a later batch")
    assert found() == [("meters", "t: not JSON", "{"), ("meters", "t: no value", "{}")]
    assert status(config).quarantined == 2


def test_a_batch_carries_the_median_clock_skew(config: GatewayConfig, database_url: str) -> None:
    enrol(config, FACTORY)
    skew = SkewMeter()
    for seen_s in (0.1, 0.2, 90.0):
        skew.add(seen_s)
    put(config, samples("A", 0, 1))
    with sink_of(config, skew):
        wait_for(lambda: sent(config) == 1, "the batch")
    with closing(store.connect(database_url)) as conn:
        assert conn.execute("SELECT clock_skew_s FROM telemetry.batch").fetchall() == [(0.2,)]


def test_a_backlog_leaves_in_large_batches(config: GatewayConfig, database_url: str) -> None:
    enrol(config, FACTORY)
    put(config, samples("A", 0, 12_000))
    with sink_of(config):
        wait_for(lambda: sent(config) == 12_000, "the backlog")
    assert [rows for _, rows, _ in ledger(database_url)] == [5000, 5000, 2000]


def test_the_gateway_belongs_to_its_factory(config: GatewayConfig, database_url: str) -> None:
    key = enrol(config, FACTORY)
    assert enrol(config, FACTORY) == key
    with closing(store.connect(database_url)) as conn:
        found = conn.execute("SELECT code, encode(public_key, 'hex') FROM registry.gateway")
        assert found.fetchall() == [(GATEWAY, key)]
    assert config.key_path.stat().st_mode & 0o777 == 0o600


def test_a_spool_that_is_damaged_while_the_gateway_runs_ends_it_and_the_next_start_goes_on(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would collect on, send nothing, and drop the oldest when the file is full."""
    prepare_database(database_url, ["A"])
    enrol(load(write_file(tmp_path, SOURCE, database_url)), FACTORY)
    monkeypatch.setattr("collectors.sink.ledger._STILL_S", 0.5)
    with loop_thread() as loop, proxied(loop, database_url) as (proxy, url):
        config = load(write_file(tmp_path, SOURCE, url))
        put(config, *(samples("A", first, 5_000) for first in range(0, 30_000, 5_000)))

        async def collect() -> None:
            damaging = asyncio.create_task(asyncio.to_thread(damage, config, proxy))
            try:
                await gateway.run(config, stop=asyncio.Event())
            finally:
                await damaging

        with pytest.raises(SpoolError, match="the next start carries over"):
            asyncio.run(asyncio.wait_for(collect(), 60))
        with running(config):
            wait_for(lambda: sent(config) >= 15_000, "what could be read")
    kept = [row[1] for row in rows_of(database_url) if row[2] is not None]
    assert 15_000 <= len(kept) == len(set(kept)) < 30_000


def damage(config: GatewayConfig, proxy: Proxy) -> None:
    """Overwrite the middle of a running gateway's spool, then let it reach the database."""
    wait_for(lambda: bool(status(config).sources), "the gateway")
    with config.spool_path.open("r+b") as file:
        file.seek(config.spool_path.stat().st_size // 8192 * 4096)
        file.write(b"\xa5" * 4096 * 8)
    proxy.up()
