"""Walking through an OPC UA server, within limits, and reading what its variables hold."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from collectors.opcua.address_space import OBJECTS, AddressSpace, Name, Node
from collectors.opcua.shown import shown

T = TypeVar("T")

Progress = Callable[[int], None]

_NODES_PER_CALL = 100
_MOST_SUPERTYPES = 32

_HIERARCHICAL = ua.NodeId.from_string("i=33")
_HAS_SUBTYPE = ua.NodeId.from_string("i=45")
_NAMESPACES = ua.NodeId.from_string("i=2255")
_MAX_PER_READ = ua.NodeId.from_string("i=11705")
_MAX_PER_BROWSE = ua.NodeId.from_string("i=11710")
_OBJECTS_AND_VARIABLES = 3
# A state machine's states and transitions are the same in every instance.
_STATES_AND_TRANSITIONS = frozenset({"i=2307", "i=2309", "i=2310", "i=15109"})
_UNITS = Name("", "EngineeringUnits")
_READ = (AttributeIds.Value, AttributeIds.DataType, AttributeIds.UserAccessLevel)
_CURRENT_READ, _CURRENT_WRITE = 1, 2


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
        self._session = session
        self._limits = limits
        self._progress = progress
        self._space = AddressSpace()
        self._ids: dict[str, ua.NodeId] = {}
        self._namespaces: list[str] = []
        self._per_read = self._per_browse = _NODES_PER_CALL

    async def browse(self) -> AddressSpace:
        """Return what the server shows below its Objects folder, without its own description."""
        await self._read_limits()
        level = [OBJECTS]
        self._ids[OBJECTS] = ua.NodeId.from_string(OBJECTS)
        for _ in range(self._limits.depth):
            level = await self._next_level(level)
            if not level:
                break
        else:
            self._space.is_complete = False
        await self._add_supertypes()
        await self._add_values()
        return self._space

    async def _read_limits(self) -> None:
        nodes = (_NAMESPACES, _MAX_PER_READ, _MAX_PER_BROWSE)
        found = await self._read([(node, AttributeIds.Value) for node in nodes])
        namespaces, per_read, per_browse = (
            value.Value.Value if value.Value is not None else None for value in found
        )
        self._namespaces = list(namespaces or ())
        self._per_read = min(per_read or _NODES_PER_CALL, _NODES_PER_CALL)
        self._per_browse = min(per_browse or _NODES_PER_CALL, _NODES_PER_CALL)

    async def _next_level(self, parents: Sequence[str]) -> list[str]:
        """Browse all nodes of a level and return those met for the first time below it."""
        new: list[str] = []
        for chunk in _chunks(parents, self._per_browse):
            found = await self._references([self._ids[parent] for parent in chunk])
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
            address = self._address(reference.NodeId)
            known = address in self._space.nodes
            if not known and len(self._space.nodes) >= self._limits.nodes:
                self._space.is_complete = False
                continue
            if self._space.add(parent, self._node(parent, address, reference)):
                self._ids[address] = self._plain(reference.NodeId)
                yield address

    def _is_left_out(self, parent: str, reference: ua.ReferenceDescription) -> bool:
        of_server = parent == OBJECTS and self._address(reference.NodeId).startswith("i=")
        return of_server or self._address(reference.TypeDefinition) in _STATES_AND_TRANSITIONS

    def _node(self, parent: str, address: str, reference: ua.ReferenceDescription) -> Node:
        index = reference.BrowseName.NamespaceIndex
        name = Name(self._uri(index) if index else "", reference.BrowseName.Name or "")
        is_variable = reference.NodeClass == ua.NodeClass.Variable
        kind = self._address(reference.TypeDefinition)
        return Node(address, name, None if parent == OBJECTS else parent, is_variable, kind)

    async def _references(
        self, nodes: Sequence[ua.NodeId]
    ) -> list[list[ua.ReferenceDescription] | None]:
        results = await self._browse_all(nodes, _HIERARCHICAL, ua.BrowseDirection.Forward)
        if len(nodes) > 1:
            # Too many continuation points at once for this server: one node at a time instead.
            for place, node in enumerate(nodes):
                if results[place] is None:
                    again = await self._browse_all(
                        [node], _HIERARCHICAL, ua.BrowseDirection.Forward
                    )
                    results[place] = again[0]
        return results

    async def _browse_all(
        self, nodes: Sequence[ua.NodeId], kind: ua.NodeId, direction: ua.BrowseDirection
    ) -> list[list[ua.ReferenceDescription] | None]:
        """Return the references of each node, continued to their end, or None where refused."""
        mask = _OBJECTS_AND_VARIABLES if kind == _HIERARCHICAL else 0
        results = await self._session.browse(
            ua.BrowseParameters(
                RequestedMaxReferencesPerNode=self._limits.references,
                NodesToBrowse=[
                    ua.BrowseDescription(
                        NodeId=node,
                        BrowseDirection=direction,
                        ReferenceTypeId=kind,
                        IncludeSubtypes=True,
                        NodeClassMask=mask,
                        ResultMask=ua.BrowseResultMask.All,
                    )
                    for node in nodes
                ],
            )
        )
        found = [
            list(result.References or ()) if result.StatusCode.is_good() else None
            for result in results
        ]
        await self._continue(found, [result.ContinuationPoint for result in results])
        return found

    async def _continue(
        self, found: list[list[ua.ReferenceDescription] | None], points: Sequence[bytes | None]
    ) -> None:
        """Add what did not fit into the first answer, up to the limit of nodes."""
        left = {place: point for place, point in enumerate(points) if point}
        while left:
            met = sum(len(references or ()) for references in found)
            is_enough = met > self._limits.nodes
            results = await self._session.browse_next(
                ua.BrowseNextParameters(
                    ReleaseContinuationPoints=is_enough, ContinuationPoints=list(left.values())
                )
            )
            if is_enough:
                self._space.is_complete = False
                return
            progress = self._extend(found, left, results)
            if not progress:
                self._space.is_complete = False
                return

    def _extend(
        self,
        found: list[list[ua.ReferenceDescription] | None],
        left: dict[int, bytes],
        results: Sequence[ua.BrowseResult],
    ) -> bool:
        """Add answers to what was found; tells whether there is anything new or anything ended."""
        before = len(left)
        new = 0
        for place, result in zip(list(left), results, strict=True):
            references = found[place]
            if references is None or not result.StatusCode.is_good():
                found[place] = None
                del left[place]
                continue
            references.extend(result.References or ())
            new += len(result.References or ())
            if result.ContinuationPoint:
                left[place] = result.ContinuationPoint
            else:
                del left[place]
        return bool(new) or len(left) < before

    async def _add_supertypes(self) -> None:
        """Follow every type to the first one of the OPC UA namespace itself."""
        types = {node.type for node in self._space.nodes.values()}
        for _ in range(_MOST_SUPERTYPES):
            types = {one for one in types if one.startswith("nsu=")} - self._space.supertypes.keys()
            above: set[str] = set()
            for chunk in _chunks(sorted(types), self._per_browse):
                nodes = [self._ids[one] for one in chunk]
                inverse = ua.BrowseDirection.Inverse
                found = await self._browse_all(nodes, _HAS_SUBTYPE, inverse)
                for one, references in zip(chunk, found, strict=True):
                    if references:
                        self._space.supertypes[one] = self._address(references[0].NodeId)
                        above.add(self._space.supertypes[one])
            if not above:
                return
            types = above

    async def _add_values(self) -> None:
        variables = [node for node in self._space.nodes.values() if node.is_variable]
        data_types: dict[str, ua.NodeId] = {}
        kinds: list[tuple[Node, str]] = []
        for chunk in _chunks(variables, max(1, self._per_read // len(_READ))):
            wanted = [(self._ids[node.address], one) for node in chunk for one in _READ]
            values = await self._read(wanted)
            for place, node in enumerate(chunk):
                value, data_type, access = values[place * len(_READ) : (place + 1) * len(_READ)]
                self._add_value(node, value, access)
                kind = data_type.Value.Value if data_type.Value is not None else None
                if isinstance(kind, ua.NodeId):
                    kinds.append((node, kind.to_string()))
                    data_types[kind.to_string()] = kind
            self._progress(len(self._space.nodes))
        names = await self._names(data_types)
        for node, kind_text in kinds:
            node.data_type = names[kind_text]

    def _add_value(self, node: Node, value: ua.DataValue, access: ua.DataValue) -> None:
        node.status = value.StatusCode.name if value.StatusCode is not None else "Good"
        held = value.Value.Value if value.Value is not None else None
        node.value = None if held is None else shown(held)
        node.is_number, node.is_array = isinstance(held, int | float), isinstance(held, list)
        allowed = access.Value.Value if access.Value is not None else 0
        node.access = ("r" if allowed & _CURRENT_READ else "") + (
            "w" if allowed & _CURRENT_WRITE else ""
        )
        if node.name == _UNITS and isinstance(held, ua.EUInformation):
            for address in self._space.parents[node.address]:
                if address in self._space.nodes:
                    owner = self._space.nodes[address]
                    owner.unit, owner.unit_id = held.DisplayName.Text or "", held.UnitId

    async def _names(self, nodes: dict[str, ua.NodeId]) -> dict[str, str]:
        """Return the browse names of data types by the texts of their node ids."""
        names: dict[str, str] = {}
        for chunk in _chunks(sorted(nodes), self._per_read):
            found = await self._read([(nodes[one], AttributeIds.BrowseName) for one in chunk])
            for one, value in zip(chunk, found, strict=True):
                name = value.Value.Value if value.Value is not None else None
                names[one] = name.Name if isinstance(name, ua.QualifiedName) else one
        return names

    async def _read(self, wanted: Sequence[tuple[ua.NodeId, AttributeIds]]) -> list[ua.DataValue]:
        values: list[ua.DataValue] = await self._session.read(
            ua.ReadParameters(
                MaxAge=0,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                NodesToRead=[
                    ua.ReadValueId(NodeId=node, AttributeId=attribute) for node, attribute in wanted
                ],
            )
        )
        return values

    def _uri(self, index: int) -> str:
        return self._namespaces[index] if index < len(self._namespaces) else f"#{index}"

    def _plain(self, node: ua.NodeId) -> ua.NodeId:
        return ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)

    def _address(self, node: ua.NodeId) -> str:
        """Return a node id as a gateway file writes it, and remember the way back."""
        if node.is_null():
            return ""
        plain = self._plain(node)
        text = plain.to_string()
        if node.NamespaceIndex:
            text = f"nsu={self._uri(node.NamespaceIndex)};{text.partition(';')[2]}"
        self._ids.setdefault(text, plain)
        return text


def _chunks(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]
