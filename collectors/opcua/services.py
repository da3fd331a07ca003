"""The services that browsing needs, within the limits that a server sets; they only read."""

from collections.abc import Sequence
from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

References = list[ua.ReferenceDescription] | None

_NODES_PER_CALL = 100
_NAMESPACES = ua.NodeId.from_string("i=2255")
_MAX_PER_READ = ua.NodeId.from_string("i=11705")
_MAX_PER_BROWSE = ua.NodeId.from_string("i=11710")
HIERARCHICAL = ua.NodeId.from_string("i=33")
HAS_SUBTYPE = ua.NodeId.from_string("i=45")
_OBJECTS_AND_VARIABLES = 3


class Services:
    """Browse and Read over an open session, and addresses as a gateway file writes them.

    per_node is how many references the server may send at once for one node; most ends the
    continuation of a call that has brought so many. is_cut tells whether that happened.
    """

    def __init__(self, session: Any, per_node: int, most: int) -> None:
        self._session = session
        self._per_node = per_node
        self._most = most
        self._namespaces: list[str] = []
        self._ids: dict[str, ua.NodeId] = {}
        self.per_read = self.per_browse = _NODES_PER_CALL
        self.is_cut = False

    async def prepare(self) -> None:
        """Read the namespaces and the limits of this session's server."""
        nodes = [self.address(node) for node in (_NAMESPACES, _MAX_PER_READ, _MAX_PER_BROWSE)]
        found = await self.read([(node, AttributeIds.Value) for node in nodes])
        namespaces, per_read, per_browse = (
            value.Value.Value if value.Value is not None else None for value in found
        )
        self._namespaces = list(namespaces or ())
        self.per_read = min(per_read or _NODES_PER_CALL, _NODES_PER_CALL)
        self.per_browse = min(per_browse or _NODES_PER_CALL, _NODES_PER_CALL)

    async def references(
        self, addresses: Sequence[str], kind: ua.NodeId = HIERARCHICAL, *, inverse: bool = False
    ) -> list[References]:
        """Return the references of each node, continued to their end, or None where refused."""
        results = await self._browse(addresses, kind, inverse=inverse)
        if len(addresses) > 1:
            # Too many continuation points at once for this server: one node at a time instead.
            for place, address in enumerate(addresses):
                if results[place] is None:
                    results[place] = (await self._browse([address], kind, inverse=inverse))[0]
        return results

    async def _browse(
        self, addresses: Sequence[str], kind: ua.NodeId, *, inverse: bool
    ) -> list[References]:
        direction = ua.BrowseDirection.Inverse if inverse else ua.BrowseDirection.Forward
        mask = _OBJECTS_AND_VARIABLES if kind == HIERARCHICAL else 0
        results = await self._session.browse(
            ua.BrowseParameters(
                RequestedMaxReferencesPerNode=self._per_node,
                NodesToBrowse=[
                    ua.BrowseDescription(
                        NodeId=self._ids[address],
                        BrowseDirection=direction,
                        ReferenceTypeId=kind,
                        IncludeSubtypes=True,
                        NodeClassMask=mask,
                        ResultMask=ua.BrowseResultMask.All,
                    )
                    for address in addresses
                ],
            )
        )
        found: list[References] = [
            list(result.References or ()) if result.StatusCode.is_good() else None
            for result in results
        ]
        await self._continue(found, [result.ContinuationPoint for result in results])
        return found

    async def _continue(self, found: list[References], points: Sequence[bytes | None]) -> None:
        """Add what did not fit into the first answer, up to the limit of nodes."""
        left = {place: point for place, point in enumerate(points) if point}
        while left:
            met = sum(len(references or ()) for references in found)
            is_enough = met > self._most
            results = await self._session.browse_next(
                ua.BrowseNextParameters(
                    ReleaseContinuationPoints=is_enough, ContinuationPoints=list(left.values())
                )
            )
            if is_enough or not _extend(found, left, results):
                self.is_cut = True
                return

    async def read(self, wanted: Sequence[tuple[str, AttributeIds]]) -> list[ua.DataValue]:
        """Read attributes of nodes in one call, with what the server says of each."""
        values: list[ua.DataValue] = await self._session.read(
            ua.ReadParameters(
                MaxAge=0,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                NodesToRead=[
                    ua.ReadValueId(NodeId=self._ids[address], AttributeId=attribute)
                    for address, attribute in wanted
                ],
            )
        )
        return values

    def uri(self, index: int) -> str:
        """Return the URI of a namespace's number in this session."""
        return self._namespaces[index] if index < len(self._namespaces) else f"#{index}"

    def address(self, node: ua.NodeId) -> str:
        """Return a node id as a gateway file writes it, and remember the way back."""
        if node.is_null():
            return ""
        plain = ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)
        text = plain.to_string()
        if node.NamespaceIndex:
            text = f"nsu={self.uri(node.NamespaceIndex)};{text.partition(';')[2]}"
        self._ids.setdefault(text, plain)
        return text


def _extend(
    found: list[References],
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
