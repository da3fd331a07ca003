"""A tiny monitoring plan, gateway files, and a gateway that runs for the length of a block."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import store
from collectors.config.file import GatewayConfig, load
from collectors.enrolment import enrol
from collectors.errors import SpoolError
from collectors.gateway import run
from collectors.gateway_status import status
from store.plans import load_plan
from tests.support.waiting import wait_for

FACTORY = "test-factory"
GATEWAY = "gw-test"

_STOP_S = 30.0


def plan(tags: Sequence[str]) -> dict[str, Any]:
    """Return the smallest plan that has these tags."""
    return {
        "factory": {
            "code": FACTORY,
            "name_zh": "示例工厂",
            "name_en": "Sample factory",
            "kind": "discrete",
            "region": "320613",
            "timezone": "Asia/Shanghai",
            "baseline": ["2024-11-01", "2025-11-01"],
            "renovated_on": "2025-11-01",
        },
        "enterprise": {"credit_code": None, "name_zh": "示例公司", "name_en": "Sample company"},
        "state_maps": {},
        "assets": [
            {
                "code": "M01",
                "name_zh": "示例设备",
                "name_en": "Sample machine",
                "kind": "machine",
                "tags": [
                    {"name": tag, "role": "process", "unit": "1", "heartbeat_s": 900}
                    for tag in tags
                ],
            }
        ],
        "shifts": [],
    }


def meter_source(tag: str = "EM01.energy", **keys: float) -> str:
    """Return a Modbus source with one tag, and with more keys of the source."""
    more = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f"""
[[source]]
name = "meters"
kind = "modbus"
host = "127.0.0.1"
{more}
  [[source.tag]]
  tag = "{tag}"
  address = 100
  type = "uint16"
"""


def write_file(folder: Path, sources: str, url: str = "postgresql://127.0.0.1:1/none") -> Path:
    """Write a gateway file with these sources into a folder and return its path."""
    return write_parts(folder, f'kind = "timescale"\nurl = "{url}"', sources)


def write_parts(folder: Path, sink: str, sources: str) -> Path:
    """Write a gateway file with these keys of its sink and these sources; return its path."""
    path = folder / "gateway.toml"
    path.write_text(
        f"""\
[gateway]
id = "{GATEWAY}"
key = "gateway.key"

[spool]
path = "spool.db"

[sink]
batch_seconds = 0.1
{sink}

{sources}
""",
        encoding="utf-8",
    )
    return path


def prepare_database(url: str, tags: Sequence[str]) -> None:
    """Load the tiny plan."""
    with closing(store.connect(url)) as conn:
        load_plan(conn, plan(tags))


def enrolled(path: Path) -> GatewayConfig:
    """Load a gateway file and enrol its gateway with the tiny factory."""
    config = load(path)
    enrol(config, FACTORY)
    return config


@contextmanager
def running(config: GatewayConfig) -> Iterator[None]:
    """Run a gateway in a thread for the length of the block; its failure fails the test."""
    ready = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    failures: list[BaseException] = []

    async def work() -> None:
        event = asyncio.Event()
        stop.append((asyncio.get_running_loop(), event))
        ready.set()
        await run(config, stop=event)

    def target() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    assert ready.wait(_STOP_S)
    try:
        wait_for(lambda: bool(failures) or _has_run(config), "the gateway's first word")
        yield
    finally:
        loop, event = stop[0]
        if not loop.is_closed():
            loop.call_soon_threadsafe(event.set)
        thread.join(_STOP_S)
    assert not thread.is_alive(), "the gateway did not stop"
    if failures:
        raise failures[0]


def _has_run(config: GatewayConfig) -> bool:
    try:
        return len(status(config).sources) == len(config.sources)
    except SpoolError:
        return False


def rows_of(url: str) -> list[tuple[str, int, float | None, int]]:
    """Return all stored rows as (tag, µs since 1970, value, status), in order."""
    with closing(store.connect(url)) as conn:
        return conn.execute(
            "SELECT t.name, (extract(epoch FROM m.ts) * 1000000)::int8, m.value, m.status "
            "FROM telemetry.measurement m JOIN registry.tag t USING (tag_id) ORDER BY 1, 2"
        ).fetchall()
