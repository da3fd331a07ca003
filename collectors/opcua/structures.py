"""Numbers inside structures that specifications define, decoded without asking the server. Pure.

A structure comes as the number of its encoding and its bytes. Those named here are read by the
definition in their NodeSet, so that no type dictionary has to be loaded and no class made from
what a server sends.
"""

from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer, NotEnoughData
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors import UaError

_PACKML = "http://opcfoundation.org/UA/PackML/"


@dataclass
class PackMLCountDataType:
    """OPC 30050, PackMLCountDataType: a product with its count, and that since it was made."""

    # The spelling is the specification's; asyncua reads the fields in this order.
    ID: ua.Int32
    Name: ua.String
    Unit: ua.EUInformation
    Count: ua.Int32
    AccCount: ua.Int32


# Namespace and number of the Default Binary encoding.
_BY_ENCODING: dict[tuple[str, object], type] = {(_PACKML, 69): PackMLCountDataType}


def member_of(value: Any, member: str, namespaces: list[str]) -> Any:
    """Return a member of a structure, or None where it is another structure or has no such."""
    if not isinstance(value, ua.ExtensionObject):
        return getattr(value, member, None)
    kind = _BY_ENCODING.get(_encoding(value.TypeId, namespaces))
    if kind is None or value.Body is None:
        return None
    try:
        return getattr(struct_from_binary(kind, Buffer(value.Body)), member, None)
    except (UaError, NotEnoughData, ValueError):
        return None


def _encoding(type_id: ua.NodeId, namespaces: list[str]) -> tuple[str, object]:
    index = type_id.NamespaceIndex
    return namespaces[index] if index < len(namespaces) else "", type_id.Identifier
