"""The timescale sink: one thread that takes batches out of the spool into the database.

It says one line when sending fails and one when it works again. While it fails, the spool grows.
"""

import logging
import threading
import time

import store
from collectors.backoff import Backoff
from collectors.config.file import GatewayConfig
from collectors.skew import SkewMeter
from collectors.spool.outbox import Outbox, Signer
from store.batches import Batch, accept, last, quarantine
from store.errors import BadSignature, Refused, StoreError, UnknownGateway
from store.registry import gateway_tags
from store.signing import sign

_log = logging.getLogger("collectors.sink")

_TAGS_EVERY_S = 60.0
_QUARANTINED_AT_ONCE = 100


class TimescaleSink:
    """Sends what the spool holds, in order, until it is stopped."""

    def __init__(self, config: GatewayConfig, seed: bytes, skew: SkewMeter) -> None:
        self._config = config
        self._gateway = config.gateway.id
        self._url = config.database_url()
        self._signer = Signer(self._gateway, config.version, lambda sha256: sign(seed, sha256))
        self._skew = skew
        self._stop = threading.Event()
        self._deadline_s = float("inf")
        self._failing_since_s: float | None = None
        # Halved by each refusal and doubled by each success, so that one bad row ends up alone.
        self._most_rows = config.sink.batch_rows
        self._unknown: list[str] = []
        self._tags_due_s = 0.0
        self._backoff = Backoff()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Open the spool's outlet and begin to send; raises SpoolError."""
        outbox = Outbox(self._config.spool_path, self._signer)
        self._thread = threading.Thread(target=self._run, args=(outbox,), name="sink", daemon=True)
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Send what waits, for within_s at most, then end; what is left stays in the spool."""
        self._deadline_s = time.monotonic() + within_s
        self._stop.set()
        if self._thread is not None:
            self._thread.join(within_s + 5)

    def _run(self, outbox: Outbox) -> None:
        try:
            while not self._is_over():
                self._attempt(outbox)
        finally:
            outbox.close()

    def _attempt(self, outbox: Outbox) -> None:
        """Work on one connection until it fails or the sink stops; then wait, longer each time."""
        try:
            with store.connect(self._url) as conn:
                self._meet(conn, outbox)
                self._send_all(conn, outbox)
        except UnknownGateway as error:
            self._failed(f"{error}; what is read stays in the spool until then")
        except StoreError as error:
            self._failed(f"the database does not take data ({error}); the spool keeps them")
        except Exception as error:
            _log.debug("sink", exc_info=error)
            self._failed(f"sending failed ({type(error).__name__}: {error}); the spool keeps data")

    def _is_over(self) -> bool:
        return self._stop.is_set() and time.monotonic() >= self._deadline_s

    # --- one connection --------------------------------------------------------------------------

    def _meet(self, conn: store.Connection, outbox: Outbox) -> None:
        """Learn the plan's tags, and where the ledger stands."""
        self._learn_tags(conn, outbox)
        if outbox.outstanding() is None:
            self._join_ledger(conn, outbox)

    def _learn_tags(self, conn: store.Connection, outbox: Outbox) -> None:
        tags = gateway_tags(conn, self._gateway)
        self._tags_due_s = time.monotonic() + _TAGS_EVERY_S
        if not tags:
            raise UnknownGateway(
                f"gateway {self._gateway} is not enrolled, or its factory's plan has no tags; "
                "run `millpond collector enrol`"
            )
        outbox.learn_tags(tags)
        unknown = outbox.unknown_tags()
        if unknown and unknown != self._unknown:
            shown = ", ".join(unknown[:10]) + (" …" if len(unknown) > 10 else "")
            _log.warning("%d tags are not in the plan, their rows wait: %s", len(unknown), shown)
        self._unknown = unknown

    def _join_ledger(self, conn: store.Connection, outbox: Outbox) -> None:
        """Continue behind the ledger where it is ahead: the spool is new or an old copy."""
        newest = last(conn, self._gateway)
        seq, sha256 = outbox.last()
        if newest is None or newest == (seq, sha256) or newest[0] < seq:
            return
        _log.warning(
            "the database has batches up to %d, this spool up to %d: it continues behind them",
            newest[0],
            seq,
        )
        outbox.follow(newest)

    def _send_all(self, conn: store.Connection, outbox: Outbox) -> None:
        sink = self._config.sink
        while not self._is_over():
            most_rows = self._most_rows
            batch = outbox.outstanding() or outbox.cut(self._most_rows, self._skew.take())
            if batch is not None:
                self._send(conn, outbox, batch)
            self._works()
            self._report(conn, outbox)
            if time.monotonic() >= self._tags_due_s:
                self._learn_tags(conn, outbox)
            is_full = batch is not None and len(batch.rows) + len(batch.records) >= most_rows
            if batch is None and self._stop.is_set():
                self._deadline_s = 0.0
            elif not is_full:
                self._stop.wait(sink.batch_seconds)

    def _send(self, conn: store.Connection, outbox: Outbox, batch: Batch) -> None:
        try:
            accept(conn, batch)
        except BadSignature:
            # Enrolment mends it; the rows are signed anew then.
            outbox.dissolve(batch)
            raise
        except Refused as error:
            if isinstance(error, UnknownGateway) or not _is_about_content(error):
                raise
            self._refused(conn, outbox, batch, error)
        else:
            outbox.acknowledge(batch)
            self._most_rows = min(self._most_rows * 2, self._config.sink.batch_rows)

    def _refused(
        self, conn: store.Connection, outbox: Outbox, batch: Batch, error: Refused
    ) -> None:
        """Cut half as much on the plan and ledger of now; what is refused alone goes aside.

        Nothing of a refused batch is in the database, so its number may be given out again.
        """
        size = len(batch.rows) + len(batch.records)
        if size > 1:
            _log.info("batch %d was refused and is cut smaller: %s", batch.seq, error)
            outbox.dissolve(batch)
            self._most_rows = size // 2
        else:
            _log.error("something was refused for good and is set aside in the spool: %s", error)
            outbox.set_aside(batch, str(error))
        self._learn_tags(conn, outbox)
        self._join_ledger(conn, outbox)

    def _report(self, conn: store.Connection, outbox: Outbox) -> None:
        """Tell the database what could not be understood, and what was dropped."""
        entries = outbox.quarantined(_QUARANTINED_AT_ONCE)
        for _, source, thing in entries:
            quarantine(conn, self._gateway, source, thing.reason, thing.payload)
        if entries:
            outbox.quarantined_sent([number for number, _, _ in entries])

    # --- one line each ---------------------------------------------------------------------------

    def _failed(self, reason: str) -> None:
        if self._failing_since_s is None:
            self._failing_since_s = time.monotonic()
            _log.error("%s", reason)
        if self._stop.is_set():
            self._deadline_s = 0.0
        self._stop.wait(self._backoff.next_s())

    def _works(self) -> None:
        self._backoff.reset()
        if self._failing_since_s is not None:
            down_s = time.monotonic() - self._failing_since_s
            _log.warning("the database takes data again, after %.0f s", down_s)
            self._failing_since_s = None


def _is_about_content(error: Refused) -> bool:
    """Tell a refusal of what a batch holds from a fault of the database that a person mends.

    The driver's own errors carry an SQLSTATE: class 22 is a data exception, 23 an integrity
    constraint; a missing table or privilege says nothing about the batch.
    """
    state = getattr(error.__cause__, "sqlstate", None)
    return error.__cause__ is None or (state is not None and state[:2] in ("22", "23"))
