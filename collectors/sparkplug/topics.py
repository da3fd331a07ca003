"""Sparkplug B topics: spBv1.0/GROUP/KIND/NODE or spBv1.0/GROUP/KIND/NODE/DEVICE. Pure."""

from typing import NamedTuple

from collectors.documents import NotDecoded

_NAMESPACE = "spBv1.0"
_OF_NODES = ("NBIRTH", "NDATA", "NDEATH")
_OF_DEVICES = ("DBIRTH", "DDATA", "DDEATH")
_WITH_DEVICE = 5
_REBIRTH = "NCMD"
ANY = "+"


class Node(NamedTuple):
    """An edge node: its name counts within its group only."""

    group: str
    name: str


class Address(NamedTuple):
    """Whose message it is, and of which kind; device is "" for the node itself."""

    kind: str
    node: Node
    device: str


def parse(topic: str) -> Address:
    """Return what a topic says; raises NotDecoded for one that a host does not read."""
    parts = topic.split("/")
    with_device = len(parts) == _WITH_DEVICE
    allowed = _OF_DEVICES if with_device else _OF_NODES
    fits = len(parts) in (_WITH_DEVICE - 1, _WITH_DEVICE) and all(parts)
    if not fits or parts[0] != _NAMESPACE or parts[2] not in allowed:
        raise NotDecoded("the topic is none of an edge node's births, data and deaths")
    return Address(parts[2], Node(parts[1], parts[3]), parts[4] if with_device else "")


def filters(nodes: set[Node]) -> list[str]:
    """Return the topic filters that bring all messages of some nodes; ANY stands for every one.

    All of a node's messages are needed, since its sequence number counts over all of them.
    """
    found = []
    for group, name in sorted(nodes):
        if not any(other != (group, name) and _covers(other, group, name) for other in nodes):
            found += [f"{_NAMESPACE}/{group}/{kind}/{name}" for kind in _OF_NODES]
            found += [f"{_NAMESPACE}/{group}/{kind}/{name}/{ANY}" for kind in _OF_DEVICES]
    return found


def rebirth_topic(node: Node) -> str:
    """Return where a node takes the request to tell its births again."""
    return f"{_NAMESPACE}/{node.group}/{_REBIRTH}/{node.name}"


def _covers(wide: Node, group: str, name: str) -> bool:
    return wide.group in (ANY, group) and wide.name in (ANY, name)
