"""The way to the city over real TLS: what arrives, and what happens when it does not."""

import os
from contextlib import closing
from pathlib import Path

import pytest

import store
from collectors.config.file import GatewayConfig
from collectors.gateway_status import status
from collectors.sample import Delivery, Refused, Sample
from collectors.sink.choice import transport_for
from collectors.sink.transport import Notice
from collectors.status import GOOD
from store.canonical import Record
from store.plans import load_plan
from tests.collectors.city import (
    City,
    Fate,
    enrolled_at,
    lossy,
    write_city_file,
)
from tests.collectors.plant import plan, rows_of
from tests.collectors.servers import loop_thread
from tests.collectors.sink.test_sink import (
    AT,
    FIRST_US,
    SOURCE,
    ledger,
    put,
    samples,
    sent,
    sink_of,
    told,
)
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("soon_again")


def times(url: str) -> list[int]:
    return [row[1] - FIRST_US for row in rows_of(url)]


def test_what_is_read_arrives_signed_and_in_order(config: GatewayConfig, city: City) -> None:
    put(config, samples("A", 0, 12_000))
    with sink_of(config):
        wait_for(lambda: sent(config) == 12_000, "the backlog")
    assert [rows for _, rows, _ in ledger(city.database_url)] == [5000, 5000, 2000]
    assert times(city.database_url) == list(range(12_000))
    assert status(config).backlog_rows == 0


def test_records_and_what_could_not_be_understood_arrive_too(
    config: GatewayConfig, city: City
) -> None:
    records = [Record("order_line", f"SO{n}", AT, {"数量": n}) for n in range(3)]
    refused = [Refused("t: no value", "{}"), Refused("t: not JSON", "{\x00")]
    put(config, Delivery(records=records, refused=refused))
    with closing(store.connect(city.database_url)) as conn:

        def kept() -> list[tuple[str, str]]:
            found = conn.execute(
                "SELECT reason, payload FROM telemetry.quarantine ORDER BY quarantine_id"
            )
            return found.fetchall()

        with sink_of(config):
            wait_for(lambda: status(config).records_sent == 3, "the records")
            wait_for(lambda: len(kept()) == 2, "what was not understood")
        assert kept() == [("t: no value", "{}"), ("t: not JSON", "{\ufffd")]
        bodies = conn.execute("SELECT body FROM telemetry.record ORDER BY key").fetchall()
    assert bodies == [({"数量": n},) for n in range(3)]


def test_many_large_notices_go_in_several_requests(config: GatewayConfig, city: City) -> None:
    notices = [Notice("line", "too long", "水" * 65_536) for _ in range(20)]
    with transport_for(config).connect() as link:
        link.quarantine(notices)
    with closing(store.connect(city.database_url)) as conn:
        assert conn.execute("SELECT count(*) FROM telemetry.quarantine").fetchone() == (20,)


def test_rows_wait_for_a_tag_that_the_plan_gets_later(
    config: GatewayConfig, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.sink.sink._TAGS_EVERY_S", 0.1)
    put(config, samples("A", 0, 3), samples("C", 0, 3))
    with sink_of(config):
        wait_for(lambda: sent(config) == 3, "the known tag")
        assert status(config).unknown_tags == ("C",)
        with closing(store.connect(city.database_url)) as conn:
            load_plan(conn, plan(["A", "B", "C"]))
        wait_for(lambda: sent(config) == 6, "the new tag")


def test_what_the_city_refuses_for_good_goes_aside_alone(config: GatewayConfig, city: City) -> None:
    records = [Record("order_line", f"SO{n}", AT, {"qty": n}) for n in range(5)]
    records[3] = Record("order_line", "SO3", AT, {"note": "\x00"})
    put(config, Delivery(records=records), samples("A", 0, 50))
    with sink_of(config):
        wait_for(lambda: status(config).records_sent == 4, "the good records")
        wait_for(lambda: sent(config) == 50, "all rows")
    assert (status(config).batches_aside, status(config).backlog_records) == (1, 0)
    numbers = [row[0] for row in ledger(city.database_url)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_spool_that_was_lost_continues_behind_the_ledger(
    config: GatewayConfig, city: City
) -> None:
    put(config, samples("A", 0, 5))
    with sink_of(config):
        wait_for(lambda: sent(config) == 5, "the first rows")
    for path in filter(Path.is_file, config.path.parent.glob("spool.db*")):
        path.unlink()
    put(config, samples("A", 5, 5))
    with sink_of(config):
        wait_for(lambda: sent(config) == 5, "the rows of the new spool")
    assert [row[0] for row in ledger(city.database_url)] == [1, 2]
    assert times(city.database_url) == list(range(10))


def test_a_city_that_is_down_gets_everything_when_it_is_back(
    config: GatewayConfig, city: City, caplog: pytest.LogCaptureFixture
) -> None:
    city.down()
    put(config, samples("A", 0, 10))
    with sink_of(config):
        wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
        put(config, samples("A", 10, 10))
        city.up()
        wait_for(lambda: sent(config) == 20, "the backlog", timeout_s=60)
        wait_for(lambda: len(told(caplog)) == 2, "the line that it is back")
    assert times(city.database_url) == list(range(20))
    fails, back = told(caplog)
    assert fails.startswith("the city does not take data")
    assert fails.endswith("the spool keeps them")
    assert back.startswith("the city takes data again")


def test_a_network_that_cuts_a_batch_in_the_middle_loses_nothing(
    city: City, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with loop_thread() as loop, lossy(loop, city) as (proxy, url):
        config = enrolled_at(city, write_city_file(tmp_path, SOURCE, city, url=url))
        put(config, noise("A", 5000))
        proxy.fate = Fate(most_bytes=20_000)
        with sink_of(config):
            wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
            assert ledger(city.database_url) == []
            proxy.fate = Fate()
            wait_for(lambda: sent(config) == 5000, "the batch", timeout_s=60)
    assert times(city.database_url) == list(range(5000))


def noise(tag: str, count: int) -> Delivery:
    """Return samples that no compression makes small."""
    bits = os.urandom(6 * count)
    values = [float(int.from_bytes(bits[at : at + 6])) for at in range(0, 6 * count, 6)]
    return Delivery(
        samples=[Sample(tag, FIRST_US + n, value, GOOD) for n, value in enumerate(values)]
    )


def test_a_batch_whose_answer_was_lost_is_acknowledged_again(city: City, tmp_path: Path) -> None:
    with loop_thread() as loop, lossy(loop, city) as (proxy, url):
        more = "timeout_s = 1"
        path = write_city_file(tmp_path, SOURCE, city, url=url)
        path.write_text(path.read_text("utf-8").replace("timeout_s = 10", more), "utf-8")
        config = enrolled_at(city, path)
        with sink_of(config):
            put(config, samples("A", 0, 1))
            wait_for(lambda: sent(config) == 1, "the first batch")
            proxy.fate = Fate(is_deaf=True)
            put(config, samples("A", 1, 10))
            wait_for(lambda: len(ledger(city.database_url)) == 2, "the commit of the second")
            wait_for(lambda: proxy.lost_bytes > 0, "the loss of its answer")
            assert sent(config) == 1
            proxy.fate = Fate()
            wait_for(lambda: sent(config) == 11, "the answer", timeout_s=60)
    assert [row[:2] for row in ledger(city.database_url)] == [(1, 1), (2, 10)]
    assert times(city.database_url) == list(range(11))
    with closing(store.connect(city.database_url)) as conn:
        assert conn.execute("SELECT count(*) FROM telemetry.absorbed").fetchone() == (0,)
