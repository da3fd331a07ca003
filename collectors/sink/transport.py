"""What a way to the database provides, so that the sink's thread need not know which one it is.

A transport is made without network. Each connect gives a link that is used until it fails; then
the sink waits, longer each time, and connects again. Its failures are of two kinds:

- try again later: StoreUnavailable, or SinkUnavailable with the seconds that the other side asks
  for; also UnknownGateway (not enrolled, or revoked) and BadSignature, which a person mends
- refused for what the batch holds: any other store.errors.Refused; the sink cuts smaller until
  what is refused stands alone, and sets that aside
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from store.batches import Batch, Receipt


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that could not be taken, or was lost, for a person at the other end to see."""

    source: str
    reason: str
    payload: str


class Link(Protocol):
    """One connection on behalf of one gateway; every call is one turn with the other side."""

    def tags(self) -> dict[str, int]:
        """Return the numbers of the factory's tags by name; empty where it is not enrolled."""
        ...

    def last(self) -> tuple[int, bytes] | None:
        """Return (seq, sha256) of the newest batch in the ledger, or None before the first."""
        ...

    def accept(self, batch: Batch) -> Receipt:
        """Hand over a batch; it is in the database for good when this returns."""
        ...

    def quarantine(self, notices: Sequence[Notice]) -> None:
        """Hand over what a person must see; a call that failed may be repeated whole."""
        ...


class Transport(Protocol):
    """A way to the database; place is what log lines call the other end: "the database"."""

    @property
    def place(self) -> str:
        """How a log line calls the other end."""
        ...

    def connect(self) -> AbstractContextManager[Link]:
        """Return a link that is closed at the end of the block."""
        ...
