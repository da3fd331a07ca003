"""A steady stream for minutes: nothing may be missing, and the memory has to stay flat.

Every value of the feed has a number and a time of its own, so what the database holds at the end
is compared with what was given, tag by tag. Feed, collector, broker and database share this
machine; where it cannot give the rate, the rate that it gave is told.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import store
from deploy.broker import EmbeddedBroker
from deploy.ports import free_port
from tests.bench.collecting import is_up, mqtt_source, mqtt_tags, opcua_source, prepared, rows_in
from tests.bench.feeds import START
from tests.bench.processes import Role, gateway, role, rss_mb, until
from tests.support.database import cloned_database, scratch_home

_VALUES = 50
_MESSAGES_PER_SECOND = 1000
_NODES, _VALUES_PER_SECOND = 2000, 10_000
_LOOK_EVERY_S = 5.0
_COUNT_EVERY_S = 1.0  # counting millions of rows is work for the database that catches up
_CATCH_UP_S = 300.0
_QUIET_S = 10.0


@dataclass(frozen=True, slots=True)
class Stream:
    """What came of a stream; memory in MB after the first tenth, at the end, and at most."""

    what: str
    asked_per_s: float
    reached_per_s: float
    given: int
    missing: int
    first_mb: float
    last_mb: float
    most_mb: float

    def __str__(self) -> str:
        return (
            f"{self.what}: {self.given:,} values given, {self.missing:,} missing; "
            f"{self.reached_per_s:,.0f} values/s of {self.asked_per_s:,.0f} asked; "
            f"memory {self.first_mb:.0f} MB early, {self.last_mb:.0f} MB at the end, "
            f"{self.most_mb:.0f} MB at most"
        )


def measure(server_url: str, minutes: float) -> Iterator[Stream]:
    """Run both streams for so many minutes, one after the other."""
    yield _opcua(server_url, minutes * 60)
    yield _mqtt(server_url, minutes * 60)


def _mqtt(server_url: str, seconds: float) -> Stream:
    with ExitStack() as opened:
        broker = EmbeddedBroker(scratch_home("bench"))
        opened.callback(broker.remove)
        broker.start()
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        url = opened.enter_context(cloned_database(server_url))
        config = prepared(folder, url, mqtt_source(broker.port), mqtt_tags())
        pid = opened.enter_context(gateway(config.path))
        until(lambda: is_up(config), "the gateway")
        feed = ("mqtt", broker.port, _MESSAGES_PER_SECOND, seconds, _VALUES)
        feeding = opened.enter_context(role("tests.bench.feeds", *feed))
        feeding.line()
        return _watched("MQTT", _MESSAGES_PER_SECOND * _VALUES, seconds, feeding, pid, url)


def _opcua(server_url: str, seconds: float) -> Stream:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        url = opened.enter_context(cloned_database(server_url))
        port = free_port()
        feed = ("opcua", port, _VALUES_PER_SECOND, seconds, _NODES)
        feeding = opened.enter_context(role("tests.bench.feeds", *feed))
        feeding.line()
        tags = [f"v{number}" for number in range(_NODES)]
        config = prepared(folder, url, opcua_source(port, _NODES), tags)
        pid = opened.enter_context(gateway(config.path))
        until(lambda: rows_in(url) >= _NODES, "the first values")
        return _watched("OPC UA", _VALUES_PER_SECOND, seconds, feeding, pid, url)


def _watched(
    what: str, per_second: float, seconds: float, feeding: Role, pid: int, url: str
) -> Stream:
    begin_s = time.monotonic()
    feeding.go()
    memory = []
    while time.monotonic() - begin_s < seconds:
        time.sleep(min(_LOOK_EVERY_S, seconds / 20))
        memory.append(rss_mb(pid))
    told = json.loads(feeding.line())
    given = told["given"] if isinstance(told, dict) else told
    fed_s = told["seconds"] if isinstance(told, dict) else time.monotonic() - begin_s
    _settle(url, given)
    return Stream(
        what=what,
        asked_per_s=per_second,
        reached_per_s=given / fed_s,
        given=given,
        missing=given - fed_in(url),
        first_mb=memory[len(memory) // 10],
        last_mb=memory[-1],
        most_mb=max(memory),
    )


def _settle(url: str, wanted: int) -> None:
    """Wait until the database has all of it, or has got nothing more for a while."""
    found, grew_s = fed_in(url), time.monotonic()
    deadline_s = grew_s + _CATCH_UP_S
    while found < wanted and time.monotonic() < min(deadline_s, grew_s + _QUIET_S):
        time.sleep(_COUNT_EVERY_S)
        before, found = found, fed_in(url)
        if found > before:
            grew_s = time.monotonic()


def fed_in(url: str) -> int:
    """Return how many values of the feed a database has; the key (tag, time) holds each once."""
    query = "SELECT count(*) FROM telemetry.measurement WHERE ts >= %s AND ts < %s AND value >= 0"
    with closing(store.connect(url)) as conn:
        row = conn.execute(query, (START, START + timedelta(days=1))).fetchone()
        return 0 if row is None else int(row[0])
