"""The direct way: the gateway writes into the database itself, inside the plant's network."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import store
from collectors.sink.transport import Link, Notice
from store.batches import Batch, Receipt, accept, last, quarantine
from store.errors import Refused, StoreUnavailable
from store.registry import gateway_tags


class TimescaleTransport:
    """Connects to a database by its URL, for one gateway."""

    place = "the database"

    def __init__(self, url: str, gateway: str) -> None:
        self._url = url
        self._gateway = gateway

    @contextmanager
    def connect(self) -> Iterator[Link]:
        """Hold one connection for the length of the block; raises StoreUnavailable."""
        with closing(store.connect(self._url)) as conn:
            yield _DirectLink(conn, self._gateway)


class _DirectLink:
    def __init__(self, conn: store.Connection, gateway: str) -> None:
        self._conn = conn
        self._gateway = gateway

    def tags(self) -> dict[str, int]:
        return gateway_tags(self._conn, self._gateway)

    def last(self) -> tuple[int, bytes] | None:
        return last(self._conn, self._gateway)

    def accept(self, batch: Batch) -> Receipt:
        try:
            return accept(self._conn, batch)
        except Refused as error:
            if _is_about_content(error):
                raise
            raise StoreUnavailable(str(error)) from error

    def quarantine(self, notices: Sequence[Notice]) -> None:
        for one in notices:
            quarantine(self._conn, self._gateway, one.source, one.reason, one.payload)


def _is_about_content(error: Refused) -> bool:
    """Tell a refusal of what a batch holds from a fault of the database that a person mends.

    The driver's own errors carry an SQLSTATE: class 22 is a data exception, 23 an integrity
    constraint; a missing table or privilege says nothing about the batch.
    """
    state = getattr(error.__cause__, "sqlstate", None)
    return error.__cause__ is None or (state is not None and state[:2] in ("22", "23"))
