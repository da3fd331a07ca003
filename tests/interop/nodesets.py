"""The official NodeSets as the npm package ships them: who stands below which type."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "node_modules" / "node-opcua-nodesets" / "nodesets"
_XML = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"
_BASE = "http://opcfoundation.org/UA/"
_TYPE_DEFINITION, _SUBTYPE = "i=40", "i=45"
# Organizes, HasProperty, HasComponent, HasOrderedComponent, HasAddIn.
_BELOW = {"i=35", "i=46", "i=47", "i=49", "i=17604"}

_BROWSE_NAME = re.compile(r"(?:(\d+):)?(.*)")

Address = tuple[str, str]
Name = tuple[str, str]


class Nodes:
    """Browse names, children, types and supertypes of the nodes of several NodeSets."""

    def __init__(self) -> None:
        self.names: dict[Address, Name] = {}
        self.types: dict[Address, Address] = {}
        self.supertypes: dict[Address, Address] = {}
        self.children: dict[Address, set[Address]] = {}

    def read(self, path: Path) -> None:
        """Add the nodes of a file."""
        root = ElementTree.parse(path).getroot()
        uris = [_BASE, *(str(one.text) for one in root.iterfind(f"{_XML}NamespaceUris/{_XML}Uri"))]
        aliases = {one.get("Alias"): str(one.text) for one in root.iter(f"{_XML}Alias")}
        for node in root:
            if node.get("NodeId"):
                self._add(node, uris, aliases)

    def below(self, address: Address) -> Iterator[Address]:
        """Return the children of a node: its own, and those that its type declares."""
        seen: set[Address] = set()
        kind: Address | None = address
        kinds = [address]
        while (kind := self.supertypes.get(kind or address)) is not None:
            kinds.append(kind)
        for each in kinds:
            yield from self.children.get(each, ())
            if each in self.types and self.types[each] not in seen:
                seen.add(self.types[each])
                yield from self.below(self.types[each])

    def _add(
        self, node: ElementTree.Element, uris: list[str], aliases: dict[str | None, str]
    ) -> None:
        own = _address(node.get("NodeId", ""), uris)
        matched = _BROWSE_NAME.fullmatch(node.get("BrowseName", ""))
        assert matched is not None
        index, name = matched.groups("0")
        self.names[own] = (uris[int(index)], name)
        for one in node.iterfind(f"{_XML}References/{_XML}Reference"):
            kind = aliases.get(one.get("ReferenceType"), one.get("ReferenceType", ""))
            other = _address(str(one.text), uris)
            is_forward = one.get("IsForward", "true") == "true"
            if kind == _TYPE_DEFINITION and is_forward:
                self.types[own] = other
            elif kind == _SUBTYPE and not is_forward:
                self.supertypes[own] = other
            elif kind in _BELOW:
                parent, child = (own, other) if is_forward else (other, own)
                self.children.setdefault(parent, set()).add(child)


@cache
def nodes_of(uris: frozenset[str]) -> Nodes:
    """Return the nodes of the NodeSets that define one of these namespaces, and of OPC UA."""
    found = Nodes()
    for path in sorted(FOLDER.glob("*.xml")):
        head = path.read_text(encoding="utf-8", errors="replace")[:8000]
        if path.name == "Opc.Ua.NodeSet2.xml" or any(f'ModelUri="{uri}"' in head for uri in uris):
            found.read(path)
    return found


def _address(text: str, uris: list[str]) -> Address:
    if not text.startswith("ns="):
        return _BASE, text
    index, _, identifier = text.removeprefix("ns=").partition(";")
    return uris[int(index)], identifier
