"""The tags of a plant: what they mean and where a gateway finds them."""

from dataclasses import dataclass

from simulators.model import Equipment, Meter, Register, Scenario, System
from simulators.model_systems import Sensor
from simulators.signals import COUNTER_MODULUS

HEARTBEAT_S = 900
SENSOR_HEARTBEAT_S = 3600


@dataclass(frozen=True, slots=True)
class OpcAddress:
    """A node by the string of its id, such as M01.State."""

    node: str
    kind: str


@dataclass(frozen=True, slots=True)
class MqttAddress:
    """A topic of one system."""

    topic: str


Address = OpcAddress | Register | MqttAddress


@dataclass(frozen=True, slots=True)
class TagSpec:
    """One tag; modulus, greatest rate and least step are in register units.

    ratio is primary units per register unit.
    """

    name: str
    asset: str
    source: str
    role: str
    unit: str
    address: Address
    modulus: float | None = None
    max_rate_per_s: float | None = None
    ratio: float = 1.0
    resolution: float = 0.0
    state_map: str | None = None
    heartbeat_s: int = HEARTBEAT_S
    # Whether it came with the renovation, though its asset was heard of before.
    is_new: bool = False


def tags_of(scenario: Scenario) -> tuple[TagSpec, ...]:
    """Return all tags of a scenario in a fixed order."""
    tags = []
    for equipment in scenario.equipment:
        tags += _equipment_tags(equipment, scenario.conduct[equipment.conduct].output)
    tags += [_sensor_tag(sensor) for sensor in scenario.sensor]
    for meter in scenario.meter:
        tags += _meter_tags(meter)
    tags += [_link_tag(scenario.name, system) for system in scenario.system]
    return tuple(tags)


def _equipment_tags(equipment: Equipment, output: str) -> list[TagSpec]:
    code = equipment.code
    state = TagSpec(
        f"{code}.state",
        code,
        "opcua",
        "state",
        "1",
        OpcAddress(f"{code}.State", "Int32"),
        state_map=equipment.states,
    )
    tags = [state]
    if equipment.shows_power:
        address = OpcAddress(f"{code}.Power", "Double")
        tags.append(TagSpec(f"{code}.power", code, "opcua", "power", "kW", address, is_new=True))
    if output == "none":
        return tags
    if equipment.ideal_cycles:
        address = OpcAddress(f"{code}.Product", "Int32")
        tags.append(TagSpec(f"{code}.product", code, "opcua", "product", "1", address))
    tags.append(_count_tag(equipment, "total", "TotalCount", output))
    if equipment.ideal_cycles:
        tags.append(_count_tag(equipment, "reject", "RejectCount", output))
    return tags


def _count_tag(equipment: Equipment, name: str, node: str, output: str) -> TagSpec:
    return TagSpec(
        f"{equipment.code}.{name}",
        equipment.code,
        "opcua",
        f"{name}_count",
        "kg" if output == "flow" else "1",
        OpcAddress(f"{equipment.code}.{node}", "UInt32"),
        modulus=float(COUNTER_MODULUS),
        max_rate_per_s=equipment.max_rate_per_s,
        # Parts are counted one by one; a flow shows whole kilograms only.
        resolution=1.0 if output == "flow" else 0.0,
    )


def _sensor_tag(sensor: Sensor) -> TagSpec:
    name = f"{sensor.asset}.{sensor.name}"
    address = OpcAddress(f"{sensor.asset}.{sensor.name.capitalize()}", "Double")
    return TagSpec(
        *(name, sensor.asset, "opcua", "process", sensor.unit, address),
        heartbeat_s=SENSOR_HEARTBEAT_S,
        is_new=True,
    )


def _meter_tags(meter: Meter) -> list[TagSpec]:
    register = meter.energy
    energy = TagSpec(
        f"{meter.code}.energy",
        meter.code,
        "modbus",
        "energy",
        meter.unit,
        register,
        modulus=register.modulus * register.scale,
        max_rate_per_s=register.max_rate_per_s,
        ratio=register.ratio,
        resolution=register.scale,
    )
    if meter.power is None:
        return [energy]
    name = f"{meter.code}.power"
    power = TagSpec(name, meter.code, "modbus", "power", meter.power_unit, meter.power)
    return [energy, power]


def _link_tag(scenario: str, system: System) -> TagSpec:
    address = MqttAddress(f"plant/{scenario}/{system.code.lower()}/status")
    return TagSpec(f"{system.code}.link", system.code, "mqtt", "link", "1", address)
