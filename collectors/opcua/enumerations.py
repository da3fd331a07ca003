"""The names of enumeration values, as the server itself has them (OPC 10000-3, 5.8 and 8.14)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from collectors.opcua.connection import Connection

_HAS_PROPERTY = ua.NodeId.from_string("i=46")
_PROPERTIES = ("EnumStrings", "EnumValues")
# String, NodeId, QualifiedName and LocalizedText name a state themselves.
_TEXTS = {ua.NodeId.from_string(f"i={number}") for number in (12, 17, 20, 21)}


async def names_of(connection: Connection, nodes: Sequence[ua.NodeId]) -> list[Mapping[int, str]]:
    """Return number → name for each node, empty where it is no enumeration; nodes fit one call.

    A node may carry the names itself (MultiState…Type) or its data type does.
    """
    types = [_value(data) for data in await connection.read(nodes, AttributeIds.DataType)]
    definitions = await connection.read(
        [_node_or_null(type_) for type_ in types], AttributeIds.DataTypeDefinition
    )
    found: list[Mapping[int, str]] = []
    for node, type_, definition in zip(nodes, types, definitions, strict=True):
        if type_ in _TEXTS:
            found.append({})
            continue
        owners = [one for one in (node, type_) if isinstance(one, ua.NodeId)]
        found.append(_defined(_value(definition)) or await _properties(connection, owners))
    return found


async def _properties(connection: Connection, owners: Sequence[ua.NodeId]) -> Mapping[int, str]:
    paths = [_path(owner, name) for owner in owners for name in _PROPERTIES]
    results = await connection.session.translate_browsepaths_to_nodeids(paths)
    targets = [
        ua.NodeId(target.TargetId.Identifier, target.TargetId.NamespaceIndex)
        for result in results
        if result.StatusCode.is_good()
        for target in result.Targets
    ]
    for data in await connection.read(targets) if targets else ():
        names = dict(_named(_value(data)))
        if names:
            return names
    return {}


def _named(values: Any) -> Iterable[tuple[int, str]]:
    for place, value in enumerate(values if isinstance(values, list) else ()):
        if isinstance(value, ua.LocalizedText):
            yield place, value.Text or ""
        elif isinstance(value, ua.EnumValueType):
            yield value.Value, value.DisplayName.Text or ""


def _defined(definition: Any) -> Mapping[int, str]:
    if not isinstance(definition, ua.EnumDefinition):
        return {}
    return {int(one.Value): str(one.Name) for one in definition.Fields if one.Name}


def _path(owner: ua.NodeId, name: str) -> ua.BrowsePath:
    step = ua.RelativePathElement(
        ReferenceTypeId=_HAS_PROPERTY,
        IsInverse=cast(ua.Boolean, False),  # the library's default is True
        TargetName=ua.QualifiedName(name, 0),
    )
    return ua.BrowsePath(StartingNode=owner, RelativePath=ua.RelativePath(Elements=[step]))


def _node_or_null(value: Any) -> ua.NodeId:
    return value if isinstance(value, ua.NodeId) else ua.NodeId()


def _value(data: ua.DataValue) -> Any:
    return data.Value.Value if data.Value is not None else None
