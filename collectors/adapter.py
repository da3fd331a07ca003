"""What a protocol module provides, so that polled and pushing sources look alike to the runner."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from collectors.columns import TagTable
from collectors.sample import Delivery


class Adapter(Protocol):
    """One connection to one source: open, receive until it breaks, close; then open again.

    A delivery holds values as samples, or as columns (collectors.columns) where many come at once:
    an adapter of this kind is a ColumnarAdapter besides. Both go the same way: implausible times
    are refused, what did not change is left out until its heartbeat, the rest goes to the spool.

    Settings are checked before, without network. What a broken connection may raise is declared
    in errors; everything else is a fault of this program and reported as such.
    """

    errors: tuple[type[Exception], ...]

    @property
    def tags(self) -> Sequence[str]:
        """The tags that this source provides; all of them turn bad while it is down."""
        ...

    async def open(self) -> None:
        """Connect and start; ends with one of errors when the source cannot be reached."""
        ...

    async def receive(self) -> Delivery:
        """Return what came next; empty at the latest after 5 s, so that returning proves life."""
        ...

    async def close(self) -> None:
        """Let go of the connection, whatever state it is in; never raises one of errors."""
        ...


@runtime_checkable
class ColumnarAdapter(Protocol):
    """An adapter that delivers columns: it makes its one table at the start and keeps it.

        self.table = TagTable(tag.tag for tag in source.tags)
        self._index = self.table.numbers(names of one message or request)
        ...
        delivery.columns.append(Columns.of(self.table, self._index, ts_us, values, status.GOOD))

    Samples and the runner's own bad rows are numbered in the same table, so that what is stored
    on change is compared with the newest value, whichever way that came.
    """

    table: TagTable
