"""The OPC UA server of the machines and robots: one object each, one variable per tag."""

from dataclasses import dataclass
from datetime import UTC

import numpy as np
from asyncua import ua
from asyncua.server.server import Server

from simulators import clock, troubles
from simulators.errors import SimulatorError
from simulators.gateway import namespace
from simulators.plant import Plant
from simulators.tags import OpcAddress


@dataclass(slots=True)
class _Variable:
    index: int
    node: ua.NodeId
    kind: ua.VariantType
    shown: tuple[float, int] | None = None


class MachineServer:
    """Serves the states and counters of a plant; clients cannot write."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self._server: Server | None = None
        self._variables: list[_Variable] = []

    async def start(self, port: int, now_us: int) -> int:
        """Listen on a loopback port (0: a free one) with the values of now; return the port."""
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
        server.set_server_name(f"Millpond {self.plant.scenario.name}")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        self._variables = await _address_space(server, self.plant)
        self._server = server
        await self.refresh(now_us)
        await server.start()
        if server.bserver is None:
            raise SimulatorError("the OPC UA server did not open its port")
        return int(server.bserver.port)

    async def refresh(self, now_us: int) -> None:
        """Show the values of an instant, each with the source time of its own event."""
        if self._server is None:
            return
        instant = np.array([now_us], np.int64)
        for variable in self._variables:
            signal = self.plant.signals[variable.index]
            value = float(signal.at(instant)[0])
            if variable.shown is not None and variable.shown[0] == value:
                continue
            tag, given = self.plant.tags[variable.index], self.plant.scenario.trouble
            since_us = signal.since(now_us)
            since_us += troubles.ahead_us(tag, now_us, given, self.plant.renovation)
            await self._server.write_attribute_value(
                variable.node, _data_value(value, variable.kind, since_us, now_us)
            )
            variable.shown = (value, since_us)

    async def stop(self) -> None:
        """Close all connections and the port."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop()


def _data_value(value: float, kind: ua.VariantType, since_us: int, now_us: int) -> ua.DataValue:
    return ua.DataValue(
        ua.Variant(value if kind == ua.VariantType.Double else int(value), kind),
        SourceTimestamp=_moment(since_us),
        ServerTimestamp=_moment(now_us),
    )


def _moment(instant_us: int) -> ua.DateTime:
    return ua.DateTime.fromtimestamp(instant_us / clock.SECOND_US, UTC)


def _node_id(name: str, space: int) -> ua.NodeId:
    return ua.NodeId(ua.String(name), ua.Int16(space))


async def _address_space(server: Server, plant: Plant) -> list[_Variable]:
    space = await server.register_namespace(namespace(plant.scenario.name))
    objects = {}
    for equipment in plant.scenario.equipment:
        node = _node_id(equipment.code, space)
        objects[equipment.code] = await server.get_objects_node().add_object(
            node, ua.QualifiedName(equipment.code, space)
        )
    variables = []
    for index, tag in enumerate(plant.tags):
        if not isinstance(tag.address, OpcAddress):
            continue
        kind = ua.VariantType[tag.address.kind]
        node = _node_id(tag.address.node, space)
        name = ua.QualifiedName(tag.address.node.rpartition(".")[2], space)
        await objects[tag.asset].add_variable(node, name, 0, kind)
        variables.append(_Variable(index, node, kind))
    return variables
