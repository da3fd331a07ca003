"""A database killed at any moment under a running gateway: what it had answered for is there."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

import store
import store.migrate
from collectors.config.file import load
from collectors.gateway_status import status
from deploy.broker import EmbeddedBroker
from deploy.embedded import EmbeddedPostgres
from tests.collectors.plant import enrolled, prepare_database, write_file
from tests.collectors.proxy import proxied
from tests.collectors.publisher import Publisher
from tests.collectors.servers import loop_thread
from tests.collectors.test_kill import Ledger, gateway_process
from tests.collectors.test_kill_stages import MQTT, ONE_SOURCE, stored
from tests.support.database import scratch_home
from tests.support.processes import children_of, is_alive
from tests.support.waiting import wait_for

KILLS = 2
# Two seconds of messages a kill: they go on while the database is gone.
A_TURN = 600
MEANWHILE = 60
AGAIN = "the database takes data again"


@pytest.fixture
def cluster() -> Iterator[EmbeddedPostgres]:
    """A cluster as the demo has it, whose commits are on disk before they are answered."""
    own = EmbeddedPostgres(scratch_home("killed"))
    try:
        own.start()
        with closing(store.connect(own.url())) as conn:
            store.migrate.migrate(conn)
        yield own
    finally:
        own.remove()


def kill(cluster: EmbeddedPostgres) -> None:
    """Kill the server and all that serves its connections."""
    server = cluster.pid
    assert server is not None
    killed = [server, *children_of(server)]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(is_alive(pid) for pid in killed), "the end of the server")
    cluster.stop()


def message(number: int) -> tuple[str, dict[str, object]]:
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(milliseconds=number)
    return "stages/database", {"n": number, "at": at.isoformat()}


def test_a_database_killed_at_any_moment_loses_nothing_and_counts_nothing_twice(
    tmp_path: Path, cluster: EmbeddedPostgres, broker: EmbeddedBroker
) -> None:
    def count() -> int:
        return len(stored(cluster.url()))

    def has_more_than(rows: int) -> bool:
        return count() > rows

    prepare_database(cluster.url(), ["numbers"])
    source = MQTT.format(port=broker.port, name="database")
    enrolled(write_file(tmp_path, source, cluster.url()))
    moments = random.Random(20260303)
    log = tmp_path / "gateway.log"
    with loop_thread() as loop, proxied(loop, cluster.url()) as (proxy, url):
        path = write_file(tmp_path, source, url)
        proxy.up()
        with gateway_process(path, log, ONE_SOURCE):
            wait_for(lambda: [s.state for s in status(load(path)).sources] == ["up"], "session")
            with Publisher(broker, message, per_second=300) as publisher:
                for _ in range(KILLS):
                    before = count()
                    publisher.go_on(A_TURN)
                    wait_for(partial(has_more_than, before), "rows", timeout_s=60)
                    time.sleep(moments.uniform(0.0, 0.4))
                    kill(cluster)
                    # On a busy machine all that was told may have come before.
                    publisher.go_on(MEANWHILE)
                    cluster.start()
                    proxy.lead_to(cluster.port)
            published = publisher.acknowledged()
            wait_for(lambda: count() >= published, "all messages", timeout_s=60)
            # The gateway says so once it knows of the commit, a moment after the rows are there.
            wait_for(lambda: log.read_text().count(AGAIN) == KILLS, "the line that it is back")
    assert sorted(value for _, value in stored(cluster.url())) == list(range(1, published + 1))
    Ledger(cluster.url()).check_chain()
    said = log.read_text()
    assert said.count("the database does not take data") == KILLS
    assert said.count(AGAIN) == KILLS
