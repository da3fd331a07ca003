"""A live plant: its servers and publisher, kept in step with the clock."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators import clock
from simulators.business_publisher import BusinessPublisher
from simulators.errors import BeyondHorizon
from simulators.machine_server import MachineServer
from simulators.meter_server import MeterServer
from simulators.model import Scenario
from simulators.plant import Plant, build

REFRESH_S = 0.5
# A plant that is served is built this far ahead and is not rebuilt while it runs.
AHEAD_DAYS = 120


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of the two servers."""

    opcua: int
    modbus: int


def wall_clock_us() -> int:
    """Return the present instant [µs]."""
    return time.time_ns() // 1000


def build_live(scenario: Scenario, as_of: datetime, now_us: int) -> Plant:
    """Return the plant with its history up to as_of, able to go on well beyond now."""
    ahead = (clock.to_datetime(now_us) - as_of) // timedelta(days=1)
    return build(scenario, as_of, horizon_days=max(0, ahead) + AHEAD_DAYS)


class Live:
    """All servers of one plant; the machine network can be cut and joined again."""

    def __init__(self, plant: Plant, now_us: Callable[[], int] = wall_clock_us) -> None:
        self.plant = plant
        self.now_us = now_us
        self._machines = MachineServer(plant)
        self._meters = MeterServer(plant, now_us)
        self._business = BusinessPublisher(plant, now_us())
        self._cut = False
        self.ports = Ports(0, 0)

    async def start(self, opcua_port: int, modbus_port: int, mqtt_port: int) -> Ports:
        """Open both servers (port 0: a free one) and connect to the broker."""
        await self._open(opcua_port, modbus_port)
        self._business.start(mqtt_port)
        return self.ports

    async def run(self, stop: asyncio.Event) -> None:
        """Refresh twice a second until told to stop or until the plant's horizon."""
        while not stop.is_set():
            now_us = self.now_us()
            if now_us >= self.plant.horizon_us - clock.DAY_US:
                raise BeyondHorizon("the simulated time is used up; start the simulator again")
            await self._machines.refresh(now_us)
            self._business.publish_due(now_us)
            try:
                await asyncio.wait_for(stop.wait(), REFRESH_S)
            except TimeoutError:
                continue

    async def toggle_link(self) -> None:
        """Cut the machine network, or join it again on the same ports; MQTT goes on."""
        self._cut = not self._cut
        if self._cut:
            await self._close()
        else:
            await self._open(self.ports.opcua, self.ports.modbus)

    async def stop(self) -> None:
        """Close the servers and the connection to the broker."""
        await self._close()
        await asyncio.to_thread(self._business.stop)

    async def _open(self, opcua_port: int, modbus_port: int) -> None:
        self.ports = Ports(
            await self._machines.start(opcua_port, self.now_us()),
            await self._meters.start(modbus_port),
        )

    async def _close(self) -> None:
        await asyncio.gather(self._machines.stop(), self._meters.stop())
