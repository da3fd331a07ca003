"""A transport that counts what the other side answered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from collectors.sink.transport import Link, Notice, Transport
from store.batches import Batch, Receipt


class CountingTransport:
    """Passes everything on to another transport; the counts are of this process alone."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.rows = 0
        self.records = 0
        self.absorbed = 0
        self.conflicts = 0

    @property
    def place(self) -> str:
        """How a log line calls the other end."""
        return self._inner.place

    @contextmanager
    def connect(self) -> Iterator[Link]:
        """Hold a link of the other transport for the length of the block."""
        with self._inner.connect() as link:
            yield _CountingLink(link, self)

    def count(self, batch: Batch, receipt: Receipt) -> None:
        """Count one answer; a batch that was known is counted too, since its rows are there."""
        self.rows += len(batch.rows)
        self.records += len(batch.records)
        self.absorbed += receipt.absorbed
        self.conflicts += receipt.conflicts


class _CountingLink:
    def __init__(self, inner: Link, counts: CountingTransport) -> None:
        self._inner = inner
        self._counts = counts

    def tags(self) -> dict[str, int]:
        return self._inner.tags()

    def last(self) -> tuple[int, bytes] | None:
        return self._inner.last()

    def accept(self, batch: Batch) -> Receipt:
        receipt = self._inner.accept(batch)
        self._counts.count(batch, receipt)
        return receipt

    def quarantine(self, notices: Sequence[Notice]) -> None:
        self._inner.quarantine(notices)
