"""What the variables of an address space hold: value, data type, access and unit."""

from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from collectors.opcua.address_space import AddressSpace, Name, Node
from collectors.opcua.items import chunks
from collectors.opcua.services import Services
from collectors.opcua.shown import shown

_UNITS = Name("", "EngineeringUnits")
_READ = (AttributeIds.Value, AttributeIds.DataType, AttributeIds.UserAccessLevel)
_CURRENT_READ, _CURRENT_WRITE = 1, 2


async def add_details(services: Services, space: AddressSpace) -> None:
    """Read the variables of an address space, and put what they hold into it."""
    variables = [node for node in space.nodes.values() if node.is_variable]
    types: dict[str, list[Node]] = {}
    for chunk in chunks(variables, max(1, services.per_read // len(_READ))):
        values = await services.read([(node.address, one) for node in chunk for one in _READ])
        for place, node in enumerate(chunk):
            value, type_, access = values[place * len(_READ) : (place + 1) * len(_READ)]
            _add_value(space, node, value, access)
            kind = _held(type_)
            if isinstance(kind, ua.NodeId):
                types.setdefault(services.address(kind), []).append(node)
    await _add_types(services, types)


async def _add_types(services: Services, types: dict[str, list[Node]]) -> None:
    for chunk in chunks(sorted(types), services.per_read):
        found = await services.read([(one, AttributeIds.BrowseName) for one in chunk])
        for one, value in zip(chunk, found, strict=True):
            name = _held(value)
            for node in types[one]:
                node.data_type = name.Name if isinstance(name, ua.QualifiedName) else one


def _add_value(space: AddressSpace, node: Node, value: ua.DataValue, access: ua.DataValue) -> None:
    node.status = value.StatusCode.name if value.StatusCode is not None else "Good"
    held, allowed = _held(value), _held(access) or 0
    node.value = None if held is None else shown(held)
    node.is_number, node.is_array = isinstance(held, int | float), isinstance(held, list)
    may_read, may_write = allowed & _CURRENT_READ, allowed & _CURRENT_WRITE
    node.access = ("r" if may_read else "") + ("w" if may_write else "")
    if node.name == _UNITS and isinstance(held, ua.EUInformation):
        for address in space.parents[node.address]:
            if address in space.nodes:
                owner = space.nodes[address]
                owner.unit, owner.unit_id = held.DisplayName.Text or "", held.UnitId


def _held(data: ua.DataValue) -> Any:
    return data.Value.Value if data.Value is not None else None
