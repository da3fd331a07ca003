"""Where the gateway's chain stands in the ledger, and whether somebody else continues it.

A spool that is new, or an old copy, finds the ledger ahead of it and has to continue behind. So
does a second gateway that was given the same identity by mistake. The two differ in one thing:
behind a spool that was lost the ledger stands still, while another gateway moves it at every
heartbeat. So a spool joins only a ledger that has stood still for longer than a heartbeat, and
one whose number was taken meanwhile stands back in the same way.
"""

import logging
import time

from collectors.errors import CollectorError
from collectors.sink.transport import Link
from collectors.spool.outbox import Outbox
from store.errors import SequenceConflict

_log = logging.getLogger("collectors.sink")

# A gateway that lives sends its heartbeats every 60 s.
_STILL_S = 90.0

_Newest = tuple[int, bytes]


class AnotherGateway(CollectorError):
    """The ledger is ahead of this spool and moves, or may yet move; nothing is sent meanwhile."""


class LedgerWatch:
    """Compares a spool's chain with the ledger at each connection."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        # What the ledger ended with while it was ahead, since when, and whether it moved.
        self._seen: _Newest | None = None
        self._since_s = 0.0
        self._has_moved = False

    def join(self, link: Link, outbox: Outbox) -> None:
        """Continue behind the ledger where it is ahead and stands still; raises AnotherGateway."""
        newest = link.last()
        seq, sha256 = outbox.last()
        if newest is None or newest == (seq, sha256) or newest[0] < seq:
            self.sent()
            return
        self._observe(newest)
        if time.monotonic() - self._since_s < _STILL_S:
            raise AnotherGateway(self._explained(newest[0], seq))
        _log.warning(
            "the database has batches up to %d, this spool up to %d: it continues behind them",
            newest[0],
            seq,
        )
        outbox.follow(newest)
        self._seen = None

    def conflict(self, error: SequenceConflict) -> None:
        """Stand back, since another gateway took this one's number; raises AnotherGateway."""
        self._seen, self._has_moved, self._since_s = None, True, time.monotonic()
        raise AnotherGateway(
            f"another gateway sends as {self._gateway}: stop one of the two, or give this one an "
            f"id of its own ({error})"
        ) from error

    def sent(self) -> None:
        """Note that this spool is the one that continues the chain."""
        self._seen, self._has_moved = None, False

    def _observe(self, newest: _Newest) -> None:
        if newest == self._seen:
            return
        self._has_moved = self._has_moved or self._seen is not None
        self._seen, self._since_s = newest, time.monotonic()

    def _explained(self, theirs: int, ours: int) -> str:
        if self._has_moved:
            return (
                f"another gateway sends as {self._gateway}: stop one of the two, or give this one "
                "an id of its own"
            )
        return (
            f"the database has batches of {self._gateway} up to {theirs}, this spool up to {ours}: "
            f"it continues behind them once nobody else has sent for {_STILL_S:.0f} s"
        )
