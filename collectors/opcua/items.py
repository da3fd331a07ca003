"""Which nodes are wanted, and how each of them is read at present. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from asyncua import ua

from collectors.opcua.settings import OpcuaTag
from collectors.opcua.values import Decoder, Note, decoder_of

T = TypeVar("T")


class Place(Enum):
    """How a node is read: not yet or not any more, by subscription, or by polling."""

    WANTED = auto()
    SUBSCRIBED = auto()
    POLLED = auto()


@dataclass(slots=True, eq=False)
class Item:
    """A node of a tag in this session; handle is the client's number of it, from zero,
    number that of its tag in the adapter's table.

    notified_s and read_s are when the server last said something and when it was last asked, on
    the monotonic clock; doubted_s is when a reading showed a change that nothing had announced.
    last is what it said then, and source_us the newest source time of a polled value.
    """

    handle: int
    number: int
    tag: OpcuaTag
    part: int
    decoder: Decoder
    node: ua.NodeId | None = None
    place: Place = Place.WANTED
    notified_s: float = 0.0
    read_s: float = 0.0
    doubted_s: float | None = None
    last: ua.DataValue | None = None
    source_us: int = 0

    @property
    def address(self) -> str:
        """The address as the gateway file has it."""
        return self.tag.nodes[self.part]

    @property
    def quiet_since_s(self) -> float:
        """When the node was last heard of, in whatever way."""
        return max(self.notified_s, self.read_s)


def items_of(tags: Iterable[OpcuaTag], notes: list[Note]) -> list[Item]:
    """Return the items of tags, each at the place that its handle says.

    Their decoders add to notes what cannot be understood.
    """
    items: list[Item] = []
    for number, tag in enumerate(tags):
        decoder = decoder_of(tag, notes)
        for part in range(len(tag.nodes)):
            items.append(Item(len(items), number, tag, part, decoder))
    return items


def resolve(items: Iterable[Item], namespaces: Sequence[str]) -> None:
    """Find each item's node among the namespaces of this session; None where there is none."""
    for item in items:
        item.node = node_id(item.address, namespaces)
        item.decoder.namespaces = list(namespaces)


def name_values(item: Item, names: Mapping[int, str]) -> None:
    """Give an item's decoder the names of its enumeration."""
    item.decoder.enumerations[item.part] = names


def node_id(address: str, namespaces: Sequence[str]) -> ua.NodeId | None:
    """Return the node of an address in this session, or None without its namespace."""
    if not address.startswith("nsu="):
        return ua.NodeId.from_string(address)
    uri, _, identifier = address.removeprefix("nsu=").partition(";")
    if uri not in namespaces:
        return None
    return ua.NodeId.from_string(f"ns={list(namespaces).index(uri)};{identifier}")


def chunks(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces of at most that size."""
    for start in range(0, len(things), size):
        yield things[start : start + size]
