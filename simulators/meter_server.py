"""The Modbus TCP server of the meters: registers are computed when they are read."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulators.encoding import register_count, registers
from simulators.errors import SimulatorError
from simulators.model import Register
from simulators.plant import Plant
from simulators.signals import Signal

_TABLES = {3: "holding", 4: "input"}


@dataclass(frozen=True, slots=True)
class _Point:
    register: Register
    signal: Signal

    @property
    def end(self) -> int:
        return self.register.address + register_count(self.register.type)

    def words(self, now_us: int) -> list[int]:
        value = float(self.signal.at(np.array([now_us], np.int64))[0])
        return registers(value / self.register.scale, self.register.type, self.register.order)


class MeterServer:
    """Serves the meters of a plant by unit id; an undefined register answers an exception."""

    def __init__(self, plant: Plant, now_us: Callable[[], int]) -> None:
        self.plant = plant
        self._now_us = now_us
        self._server: ModbusTcpServer | None = None

    async def start(self, port: int) -> int:
        """Listen on a loopback port (0: a free one) and return it."""
        server = ModbusTcpServer(self._devices(), address=("127.0.0.1", port))
        await server.serve_forever(background=True)
        self._server = server
        sockets = getattr(server.transport, "sockets", ())
        if not sockets:
            raise SimulatorError("the Modbus server did not open its port")
        return int(sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close all connections and the port."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()  # type: ignore[no-untyped-call]  # in pymodbus

    def _devices(self) -> list[SimDevice]:
        points: dict[int, list[_Point]] = {}
        for tag, signal in zip(self.plant.tags, self.plant.signals, strict=True):
            if isinstance(tag.address, Register):
                points.setdefault(tag.address.unit_id, []).append(_Point(tag.address, signal))
        return [self._device(unit, found) for unit, found in points.items()]

    def _device(self, unit_id: int, points: list[_Point]) -> SimDevice:
        async def compute(
            function_code: int,
            start_address: int,
            address: int,
            count: int,
            current: list[int],
            _written: list[int] | list[bool] | None,
        ) -> ExcCodes | None:
            now_us = self._now_us()
            for point in points:
                first = point.register.address
                same_table = point.register.table == _TABLES.get(function_code)
                if same_table and first < address + count and address < point.end:
                    offset = first - start_address
                    words = point.words(now_us)
                    current[offset : offset + len(words)] = words
            return None

        bits = [SimData(0, values=False, datatype=DataType.BITS, readonly=True)]
        return SimDevice(
            unit_id,
            (bits, list(bits), _block(points, "holding"), _block(points, "input")),
            action=compute,
        )


def _block(points: list[_Point], table: str) -> list[SimData]:
    block = [
        SimData(
            point.register.address,
            count=register_count(point.register.type),
            values=0,
            datatype=DataType.REGISTERS,
            readonly=True,
        )
        for point in points
        if point.register.table == table
    ]
    # The library wants every table to hold something.
    return block or [SimData(65535, datatype=DataType.INVALID)]
