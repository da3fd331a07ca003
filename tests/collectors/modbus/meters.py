"""Sources and tags as the tests of this folder need them, and reading them once."""

from typing import Any

from collectors.modbus.adapter import ModbusAdapter
from collectors.modbus.layout import RegisterTable, RegisterType
from collectors.modbus.settings import ModbusSource, ModbusTag
from tests.collectors.receiving import first_of_each, opened
from tests.collectors.surroundings import context


def tag(
    name: str,
    address: int,
    kind: RegisterType = "uint16",
    unit_id: int = 1,
    table: RegisterTable = "holding",
    **more: Any,
) -> ModbusTag:
    """Return a tag."""
    return ModbusTag(tag=name, address=address, type=kind, unit_id=unit_id, table=table, **more)


# For units that never answer; the others of such a test have to answer within it.
SILENCE_S = 0.5


def source(*tags: ModbusTag, **more: Any) -> ModbusSource:
    """Return a source that polls fast and waits as long as a busy machine may need."""
    keys: dict[str, Any] = {
        "name": "meters",
        "kind": "modbus",
        "poll_s": 0.05,
        "timeout_s": 3.0,
        "tags": tags,
    }
    return ModbusSource(**(keys | more))


def adapter(port: int, *tags: ModbusTag, **more: Any) -> ModbusAdapter:
    """Return the adapter of a source over TCP."""
    return ModbusAdapter(source(*tags, **({"host": "127.0.0.1", "port": port} | more)), context())


def serial(path: str, *tags: ModbusTag, **more: Any) -> ModbusAdapter:
    """Return the adapter of a source on a serial line."""
    keys: dict[str, Any] = {"transport": "rtu", "serial_port": path, "baudrate": 115_200}
    return ModbusAdapter(source(*tags, **(keys | more)), context())


async def read_once(wanted: ModbusAdapter) -> dict[str, tuple[float | None, int]]:
    """Return the first value and status of every tag."""
    async with opened(wanted):
        return {name: one[2:] for name, one in (await first_of_each(wanted)).items()}
