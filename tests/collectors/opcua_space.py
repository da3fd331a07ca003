"""The library's OPC UA server with standard nodes that are made once in a process."""

import pickle
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.server.address_space import NodeData
from asyncua.server.internal_server import InternalServer

# Each of the standard's nodes as it is before a server has changed it.
_packed: dict[ua.NodeId, bytes] = {}


class _Nodes(MutableMapping[ua.NodeId, NodeData]):
    """Nodes of one server; those of the standard are unpacked when they are first asked for."""

    def __init__(self, packed: dict[ua.NodeId, bytes]) -> None:
        self._packed = dict(packed)
        self._own: dict[ua.NodeId, NodeData] = {}

    def __getitem__(self, key: ua.NodeId) -> NodeData:
        if key in self._packed:
            self._own[key] = pickle.loads(self._packed.pop(key))
        return self._own[key]

    def __setitem__(self, key: ua.NodeId, node: NodeData) -> None:
        self._packed.pop(key, None)
        self._own[key] = node

    def __delitem__(self, key: ua.NodeId) -> None:
        if self._packed.pop(key, None) is None:
            del self._own[key]

    def __contains__(self, key: object) -> bool:
        return key in self._own or key in self._packed

    def __iter__(self) -> Iterator[ua.NodeId]:
        return iter([*self._own, *self._packed])

    def __len__(self) -> int:
        return len(self._own) + len(self._packed)


class QuickStart(InternalServer):
    """The library's inner server; to make the standard's thousands of nodes takes it seconds.

    The library's own shelf of them is a file that some of Python's kinds of shelves let only the
    thread close that opened it.
    """

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        """Take the standard's nodes from those that the first server made."""
        space: Any = self.aspace
        if not _packed:
            await super().load_standard_address_space(shelf_file)
            _packed.update((key, pickle.dumps(node)) for key, node in space._nodes.items())
        space._nodes = _Nodes(_packed)
