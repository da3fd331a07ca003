"""What browsing an OPC UA server found: nodes, who stands below whom, and their types. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

OBJECTS = "i=85"
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Name:
    """A browse name with its namespace URI; the OPC UA namespace itself is empty."""

    namespace: str
    text: str


@dataclass(slots=True)
class Node:
    """An object or variable; address and type are written as a gateway file writes nodes.

    value is what a person may read of the value, and is_number whether it is one number;
    unit is the text of its EngineeringUnits, and unit_id their code, -1 where there is none;
    parent is where it was met first.
    """

    address: str
    name: Name
    parent: str | None
    is_variable: bool
    type: str
    data_type: str = ""
    access: str = ""
    value: str | None = None
    is_number: bool = False
    is_array: bool = False
    unit: str = ""
    unit_id: int = -1
    status: str = ""


@dataclass(slots=True)
class AddressSpace:
    """Nodes by address, the children and parents of each, and the supertype of each type.

    is_complete is false where a limit ended the browsing; unread are nodes that the server would
    not show.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    parents: dict[str, list[str]] = field(default_factory=dict)
    supertypes: dict[str, str] = field(default_factory=dict)
    is_complete: bool = True
    unread: list[str] = field(default_factory=list)

    def add(self, parent: str, node: Node) -> bool:
        """Put a node below a parent; tells whether the node is new."""
        above = self.parents.setdefault(node.address, [])
        if parent not in above:
            above.append(parent)
            self.children.setdefault(parent, []).append(node.address)
        if node.address in self.nodes:
            return False
        self.nodes[node.address] = node
        return True

    def below(self, address: str) -> Iterator[Node]:
        """Return the children of a node in the server's order."""
        return (self.nodes[child] for child in self.children.get(address, ()))

    def path(self, node: Node) -> tuple[str, ...]:
        """Return the browse names from below the Objects folder to a node, where first met."""
        names: list[str] = []
        current: Node | None = node
        while current is not None and len(names) < _DEEPEST:
            names.append(current.name.text)
            current = self.nodes.get(current.parent or "")
        return tuple(reversed(names))

    def is_a(self, type_address: str, wanted: str) -> bool:
        """Tell whether a type is another one or derived from it."""
        for _ in range(_DEEPEST):
            if type_address == wanted:
                return True
            if type_address not in self.supertypes:
                return False
            type_address = self.supertypes[type_address]
        return False

    def subtree(self, address: str, without: Iterable[str] = ()) -> Iterator[Node]:
        """Return a node and what stands below it, each once, nearest first, without some nodes."""
        seen = {address, *without}
        waiting = [address]
        while waiting:
            nearest, waiting = waiting, []
            for one in nearest:
                if one in self.nodes:
                    yield self.nodes[one]
                for child in self.children.get(one, ()):
                    if child not in seen:
                        seen.add(child)
                        waiting.append(child)

    def matching(self, pattern: str) -> list[Node]:
        """Return the nodes whose browse path matches a pattern such as **/Temperature."""
        parts = tuple(pattern.strip("/").split("/"))
        return [node for node in self.nodes.values() if path_matches(self.path(node), parts)]


def path_matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Tell whether a browse path matches: * and ? within one name, ** for any number of names."""
    reached = {0}
    for name in (*path, None):
        reached = _past_any(reached, pattern)
        if name is None:
            break
        reached = {
            place if pattern[place] == "**" else place + 1
            for place in reached
            if place < len(pattern)
            and (pattern[place] == "**" or fnmatchcase(name, pattern[place]))
        }
    return len(pattern) in reached


def _past_any(reached: set[int], pattern: Sequence[str]) -> set[int]:
    """Return the places that can be reached by letting ** stand for no name at all."""
    found = set(reached)
    for place in sorted(reached):
        while place < len(pattern) and pattern[place] == "**":
            place += 1
            found.add(place)
    return found
