"""A network that breaks in the middle of a message, with the whole gateway behind it."""

import asyncio
from pathlib import Path

from tests.collectors.mqtt.brokers import own_broker, publish_many
from tests.collectors.plant import enrolled, prepare_database, rows_of, running, write_file
from tests.collectors.proxy import Proxy
from tests.collectors.servers import LoopThread, loop_thread
from tests.support.waiting import wait_for

COUNT = 240
SETTINGS = "allow_anonymous true\nmax_queued_messages 10000"


class CuttingProxy(Proxy):
    """Cuts all connections after so many bytes, in the middle of what it is passing on."""

    def __init__(self, loop: LoopThread, host: str, port: int, cuts: list[int]) -> None:
        super().__init__(loop, host, port)
        self._cuts = cuts
        self._passed_bytes = 0

    @property
    def cuts_left(self) -> int:
        """How many cuts have not been made yet."""
        return len(self._cuts)

    async def _goes_on(
        self, data: bytes, writer: asyncio.StreamWriter, _asking: asyncio.StreamWriter | None
    ) -> bool:
        self._passed_bytes += len(data)
        if not self._cuts or self._passed_bytes < self._cuts[0]:
            return True
        self._cuts.pop(0)
        writer.write(data[: len(data) // 2])
        await writer.drain()
        for each in list(self._writers):
            each.transport.abort()
        return False


def test_a_network_cut_in_the_middle_of_a_message_loses_nothing_and_repeats_nothing(
    tmp_path: Path, database_url: str
) -> None:
    """One tag has no time of its own: of a message taken twice it would have two rows."""
    prepare_database(database_url, ["timed", "timeless"])
    with own_broker(SETTINGS) as broker, loop_thread() as loop:
        proxy = CuttingProxy(loop, "127.0.0.1", broker.port, [400_000, 1_200_000, 2_000_000])
        sources = f"""
[[source]]
name = "plant"
kind = "mqtt"
host = "127.0.0.1"
port = {proxy.port}
client_id = "gw-cut"
  [[source.tag]]
  tag = "timed"
  topic = "cut/timed"
  value = "n"
  ts = "at"
  ts_unit = "ms"
  sequence = "n"
  [[source.tag]]
  tag = "timeless"
  topic = "cut/timeless"
  value = "n"
"""
        proxy.up()
        with running(enrolled(write_file(tmp_path, sources, database_url))):
            for part in range(0, COUNT, 60):
                for topic in ("cut/timed", "cut/timeless"):
                    numbers = range(part + 1, part + 61)
                    publish_many(broker, topic, [message(n) for n in numbers])
            wait_for(lambda: len(values_of(database_url, "timed")) >= COUNT, "every message")
            wait_for(lambda: len(values_of(database_url, "timeless")) >= COUNT, "every message")
            proxy.down()
        assert proxy.cuts_left == 0
    expected = list(map(float, range(1, COUNT + 1)))
    assert values_of(database_url, "timed") == expected
    assert values_of(database_url, "timeless") == expected


def message(n: int) -> dict[str, object]:
    return {"n": n, "at": 1_772_323_200_000 + n, "filler": "x" * 8000}


def values_of(url: str, tag: str) -> list[float]:
    """Return the good values of a tag, in order; those of an outage have none."""
    return sorted(row[2] for row in rows_of(url) if row[0] == tag and row[2] is not None)
