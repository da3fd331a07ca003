"""Between the sources and the disk: full, refusing, and what can never be stored."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors import writer as writer_module
from collectors.sample import Delivery, Sample
from collectors.skew import SkewMeter
from collectors.spool.bounds import Bounds
from collectors.spool.file import open_for_reading
from collectors.spool.spool import Spool
from collectors.status import GOOD
from collectors.writer import Writer
from store.canonical import Record

_DEADLINE_S = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    with closing(Spool(path, Bounds(10**9, 1e9))) as opened:
        yield opened


class Acknowledged:
    """Deliveries of a thousand samples each, with a note of which were acknowledged."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def delivery(self, number: int) -> Delivery:
        samples = [Sample("T", number * 1000 + n, float(n), GOOD) for n in range(1000)]
        return Delivery(samples=samples, stored=lambda: self.numbers.append(number))


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition in the event loop; fail when it never holds."""
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.01)


def rows(path: Path) -> int:
    with closing(open_for_reading(path)) as conn:
        return int(conn.execute("SELECT sum(row_count) FROM block").fetchone()[0])


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "collectors.writer" and record.levelno >= logging.WARNING
    ]


def test_a_full_disk_holds_everything_back(
    path: Path, spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_DELIVERIES_WAITING", 10)
    acknowledged = Acknowledged()

    async def run() -> None:
        writer = Writer(spool, SkewMeter(), list)
        running = asyncio.create_task(writer.run())
        await writer.put("src", acknowledged.delivery(0))
        await until(lambda: acknowledged.numbers == [0], "the first")
        spool._conn.execute("PRAGMA max_page_count = 1")
        source = asyncio.create_task(deliver(writer, range(1, 31)))
        await until(lambda: len(told(caplog)) == 1, "the line")
        assert acknowledged.numbers == [0]
        assert not source.done()
        spool._conn.execute("PRAGMA max_page_count = 1000000")
        await until(lambda: len(acknowledged.numbers) == 31, "the rest")
        writer.end()
        await running
        writer.close()

    async def deliver(writer: Writer, numbers: range) -> None:
        for number in numbers:
            await writer.put("src", acknowledged.delivery(number))

    asyncio.run(run())
    assert acknowledged.numbers == list(range(31))
    assert rows(path) == 31_000
    full, again = told(caplog)
    assert full == "the spool cannot be written (database or disk is full); sources wait"
    assert again == "the spool can be written again"


def test_a_source_that_cannot_note_what_is_stored_ends_nobody_else(
    path: Path, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own small file may not fit on the disk that just took the data."""
    acknowledged = Acknowledged()

    def full() -> None:
        raise OSError(28, "No space left on device")

    async def run() -> None:
        writer = Writer(spool, SkewMeter(), list)
        running = asyncio.create_task(writer.run())
        await writer.put("src", Delivery(samples=[Sample("T", 1, 1.0, GOOD)], stored=full))
        await writer.put("src", acknowledged.delivery(1))
        await until(lambda: acknowledged.numbers == [1], "the next one")
        writer.end()
        await running
        writer.close()

    asyncio.run(run())
    assert rows(path) == 1001
    assert told(caplog) == [
        "source src cannot note what is stored (OSError: [Errno 28] No space left on device); "
        "coming again, it adds nothing"
    ]


def test_what_can_never_be_stored_is_quarantined_alone(path: Path, spool: Spool) -> None:
    acknowledged = Acknowledged()
    poison = Delivery(
        records=[Record("k", "1", datetime(2026, 3, 1, tzinfo=UTC), {"n": float("nan")})],
        stored=lambda: acknowledged.numbers.append(-1),
    )

    async def run() -> None:
        writer = Writer(spool, SkewMeter(), list)
        for delivery in (acknowledged.delivery(1), poison, acknowledged.delivery(2)):
            await writer.put("src", delivery)
        writer.end()
        await writer.run()
        writer.close()

    asyncio.run(run())
    assert acknowledged.numbers == [1, -1, 2]
    assert rows(path) == 2_000
    with closing(open_for_reading(path)) as conn:
        ((source, reason),) = conn.execute("SELECT source, reason FROM quarantined")
    assert source == "src"
    assert reason.startswith("cannot be stored: ValueError")


def test_the_end_of_a_spool_ends_the_writer(path: Path, spool: Spool) -> None:
    """A closed or broken file is no full disk: waiting would help nobody."""

    async def run() -> None:
        writer = Writer(spool, SkewMeter(), list)
        await writer.put("src", Delivery(samples=[Sample("T", 1, 1.0, GOOD)]))
        spool.close()
        async with asyncio.timeout(_DEADLINE_S):
            await writer.run()

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        asyncio.run(run())
