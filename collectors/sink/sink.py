"""The sink: one thread that takes batches out of the spool and hands them to a transport.

It says one line when sending fails and one when it works again. While it fails, the spool grows.
"""

import logging
import sqlite3
import threading
import time

from collectors.backoff import Backoff
from collectors.config.file import GatewayConfig
from collectors.errors import SinkUnavailable, SpoolDamaged
from collectors.sink.ledger import AnotherGateway, LedgerWatch
from collectors.sink.transport import Link, Notice, Transport
from collectors.skew import SkewMeter
from collectors.spool.outbox import Outbox, Signer
from store.batches import Batch
from store.errors import BadSignature, Refused, SequenceConflict, StoreError, UnknownGateway
from store.signing import sign

_log = logging.getLogger("collectors.sink")

_TAGS_EVERY_S = 60.0
_NOTICES_AT_ONCE = 100


class Sink:
    """Sends what the spool holds, in order, until it is stopped."""

    def __init__(
        self,
        config: GatewayConfig,
        transport: Transport,
        seed: bytes,
        skew: SkewMeter,
        *,
        imported: bool = False,
    ) -> None:
        self._config = config
        self._gateway = config.gateway.id
        self._transport = transport
        self._signer = Signer(
            self._gateway, config.version, lambda sha256: sign(seed, sha256), imported
        )
        self._skew = skew
        self._ledger = LedgerWatch(self._gateway)
        self._stop = threading.Event()
        self._deadline_s = float("inf")
        self._failing_since_s: float | None = None
        self._reason: str | None = None
        self._damage: sqlite3.DatabaseError | None = None
        # Halved by each refusal and doubled by each success, so that one bad row ends up alone.
        self._most_rows = config.sink.batch_rows
        self._unknown: list[str] = []
        self._tags_due_s = 0.0
        self._backoff = Backoff()
        self._thread: threading.Thread | None = None

    @property
    def failure(self) -> str | None:
        """Why nothing can be sent at the moment, in plain words; None while sending works."""
        return self._reason

    @property
    def damage(self) -> sqlite3.DatabaseError | None:
        """What ended it: a spool file that cannot be read; a new start carries over what can be."""
        return self._damage

    @property
    def is_at_work(self) -> bool:
        """Whether its thread lives, however sending goes."""
        return self._thread is not None and self._thread.is_alive()

    def use_version(self, version: str) -> None:
        """Name another version of the gateway file in the batches that are cut from now on."""
        self._signer.config_version = version

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
            while not self._is_over() and self._damage is None:
                self._attempt(outbox)
        finally:
            outbox.close()

    def _attempt(self, outbox: Outbox) -> None:
        """Work on one connection until it fails or the sink stops; then wait, longer each time."""
        place = self._transport.place
        try:
            with self._transport.connect() as link:
                self._meet(link, outbox)
                self._send_all(link, outbox)
        except (UnknownGateway, AnotherGateway) as error:
            self._failed(f"{error}; what is read stays in the spool until then")
        except SpoolDamaged as error:
            _log.error("%s: it is lost", error)
            outbox.give_up_damaged()
        except SinkUnavailable as error:
            self._failed(
                f"{place} does not take data ({error}); the spool keeps them", error.after_s
            )
        except StoreError as error:
            self._failed(f"{place} does not take data ({error}); the spool keeps them")
        except Exception as error:
            _log.debug("sink", exc_info=error)
            # The class itself: those below it speak of a full disk or a lock, which pass.
            if type(error) is sqlite3.DatabaseError:
                self._damage, self._reason = error, f"the spool is damaged: {error}"
                _log.error("%s", self._reason)
                return
            self._failed(f"sending failed ({type(error).__name__}: {error}); the spool keeps data")

    def _is_over(self) -> bool:
        return self._stop.is_set() and time.monotonic() >= self._deadline_s

    # --- one connection --------------------------------------------------------------------------

    def _meet(self, link: Link, outbox: Outbox) -> None:
        """Learn the plan's tags, and where the ledger stands."""
        self._learn_tags(link, outbox)
        if outbox.outstanding() is None:
            self._ledger.join(link, outbox)

    def _learn_tags(self, link: Link, outbox: Outbox) -> None:
        tags = link.tags()
        self._tags_due_s = time.monotonic() + _TAGS_EVERY_S
        if not tags:
            raise UnknownGateway(
                f"gateway {self._gateway} is not enrolled, or its factory's plan has no tags; "
                "run `millpond collector enrol`"
            )
        outbox.learn_tags(tags)
        self._tell_unknown(outbox)

    def _tell_unknown(self, outbox: Outbox) -> None:
        unknown = outbox.unknown_tags()
        if unknown and unknown != self._unknown:
            shown = ", ".join(unknown[:10]) + (" …" if len(unknown) > 10 else "")
            _log.warning("%d tags are not in the plan, their rows wait: %s", len(unknown), shown)
        self._unknown = unknown

    def _send_all(self, link: Link, outbox: Outbox) -> None:
        sink = self._config.sink
        while not self._is_over():
            most_rows = self._most_rows
            batch = outbox.outstanding() or outbox.cut(self._most_rows, self._skew.take())
            if batch is not None:
                self._send(link, outbox, batch)
            self._works()
            self._tell_unknown(outbox)
            self._report(link, outbox)
            if time.monotonic() >= self._tags_due_s:
                self._learn_tags(link, outbox)
            is_full = batch is not None and len(batch.rows) + len(batch.records) >= most_rows
            if batch is None and self._stop.is_set():
                self._deadline_s = 0.0
            elif not is_full:
                self._stop.wait(sink.batch_seconds)

    def _send(self, link: Link, outbox: Outbox, batch: Batch) -> None:
        try:
            link.accept(batch)
        except BadSignature:
            # Enrolment mends it; the rows are signed anew then.
            outbox.dissolve(batch)
            raise
        except SequenceConflict as error:
            outbox.dissolve(batch)
            self._ledger.conflict(error)
        except UnknownGateway:
            raise
        except Refused as error:
            self._refused(link, outbox, batch, error)
        else:
            outbox.acknowledge(batch)
            self._ledger.sent()
            self._most_rows = min(self._most_rows * 2, self._config.sink.batch_rows)

    def _refused(self, link: Link, outbox: Outbox, batch: Batch, error: Refused) -> None:
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
        self._learn_tags(link, outbox)
        self._ledger.join(link, outbox)

    def _report(self, link: Link, outbox: Outbox) -> None:
        """Tell the database what could not be understood, and what was dropped."""
        entries = outbox.quarantined(_NOTICES_AT_ONCE)
        if entries:
            link.quarantine([Notice(name, one.reason, one.payload) for _, name, one in entries])
            outbox.quarantined_sent([number for number, _, _ in entries])

    # --- one line each ---------------------------------------------------------------------------

    def _failed(self, reason: str, after_s: float | None = None) -> None:
        # Another reason is worth another line only where a person has something else to do.
        if self._failing_since_s is None:
            self._failing_since_s = time.monotonic()
            _log.error("%s", reason)
        self._reason = reason
        if self._stop.is_set():
            self._deadline_s = 0.0
        self._stop.wait(max(self._backoff.next_s(), after_s or 0.0))

    def _works(self) -> None:
        self._backoff.reset()
        self._reason = None
        if self._failing_since_s is not None:
            down_s = time.monotonic() - self._failing_since_s
            _log.warning("%s takes data again, after %.0f s", self._transport.place, down_s)
            self._failing_since_s = None
