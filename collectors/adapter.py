"""What a protocol module provides, so that polled and pushing sources look alike to the runner."""

from collections.abc import Sequence
from typing import Protocol

from collectors.sample import Delivery


class Adapter(Protocol):
    """One connection to one source: open, receive until it breaks, close; then open again.

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
