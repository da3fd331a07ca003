"""Walking through an OPC UA server, within limits, down from its Objects folder."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from collectors.opcua.address_space import OBJECTS, AddressSpace, Name, Node
from collectors.opcua.details import add_details
from collectors.opcua.items import chunks
from collectors.opcua.services import HAS_SUBTYPE, Services

Progress = Callable[[int], None]

_MOST_SUPERTYPES = 32
# A state machine's states and transitions are the same in every instance.
_STATES_AND_TRANSITIONS = frozenset({"i=2307", "i=2309", "i=2310", "i=15109"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How far to walk: levels below the Objects folder, and nodes in all.

    references is how many of them the server may send at once for one node.
    """

    depth: int = 16
    nodes: int = 20_000
    references: int = 1000


class Browser:
    """One walk through a server, over a session that is open already."""

    def __init__(self, session: Any, limits: Limits, progress: Progress) -> None:
        self._services = Services(session, limits.references, limits.nodes)
        self._limits = limits
        self._progress = progress
        self._space = AddressSpace()

    async def browse(self) -> AddressSpace:
        """Return what the server shows below its Objects folder, without its own description."""
        await self._services.prepare()
        level = [self._services.address(ua.NodeId.from_string(OBJECTS))]
        for _ in range(self._limits.depth):
            level = await self._next_level(level)
            if not level:
                break
        else:
            self._space.is_complete = False
        await self._add_supertypes()
        await add_details(self._services, self._space)
        if self._services.is_cut:
            self._space.is_complete = False
        return self._space

    async def _next_level(self, parents: Sequence[str]) -> list[str]:
        """Browse all nodes of a level and return those met for the first time below it."""
        new: list[str] = []
        for chunk in chunks(parents, self._services.per_browse):
            found = await self._services.references(chunk)
            for parent, references in zip(chunk, found, strict=True):
                if references is None:
                    self._space.unread.append(parent)
                new += self._added(parent, references or ())
            self._progress(len(self._space.nodes))
        return new

    def _added(self, parent: str, references: Iterable[ua.ReferenceDescription]) -> Iterator[str]:
        for reference in references:
            if getattr(reference.NodeId, "ServerIndex", 0) or self._is_left_out(parent, reference):
                continue
            address = self._services.address(reference.NodeId)
            known = address in self._space.nodes
            if not known and len(self._space.nodes) >= self._limits.nodes:
                self._space.is_complete = False
                continue
            if self._space.add(parent, self._node(parent, address, reference)):
                yield address

    def _is_left_out(self, parent: str, reference: ua.ReferenceDescription) -> bool:
        of_server = parent == OBJECTS and self._services.address(reference.NodeId).startswith("i=")
        return (
            of_server or self._services.address(reference.TypeDefinition) in _STATES_AND_TRANSITIONS
        )

    def _node(self, parent: str, address: str, reference: ua.ReferenceDescription) -> Node:
        index = reference.BrowseName.NamespaceIndex
        name = Name(self._services.uri(index) if index else "", reference.BrowseName.Name or "")
        is_variable = reference.NodeClass == ua.NodeClass.Variable
        kind = self._services.address(reference.TypeDefinition)
        return Node(address, name, None if parent == OBJECTS else parent, is_variable, kind)

    async def _add_supertypes(self) -> None:
        """Follow every type to the first one of the OPC UA namespace itself."""
        types = {node.type for node in self._space.nodes.values()}
        for _ in range(_MOST_SUPERTYPES):
            types = {one for one in types if one.startswith("nsu=")} - self._space.supertypes.keys()
            above: set[str] = set()
            for chunk in chunks(sorted(types), self._services.per_browse):
                found = await self._services.references(chunk, HAS_SUBTYPE, inverse=True)
                for one, references in zip(chunk, found, strict=True):
                    if references:
                        self._space.supertypes[one] = self._services.address(references[0].NodeId)
                        above.add(self._space.supertypes[one])
            if not above:
                return
            types = above
