"""Importing files of the past through spool and sink, or only looking at what would come of it."""

import hashlib
import time
from contextlib import closing
from pathlib import Path

import store
from collectors.config.file import GatewayConfig
from collectors.errors import CollectorError
from collectors.files.lines import NotReadable
from collectors.gateway_status import GatewayStatus, status
from collectors.history.counting import CountingTransport
from collectors.history.decode import Piece
from collectors.history.gateway import import_gateway
from collectors.history.journal import Journal, Progress
from collectors.history.mapping import Mapping
from collectors.history.reading import SourceFile
from collectors.history.report import FileReport, ImportReport, Tell
from collectors.identity import load_or_make_key
from collectors.sample import Delivery, Message, Refused
from collectors.sink.choice import transport_for
from collectors.sink.sink import Sink
from collectors.skew import SkewMeter
from collectors.spool.bounds import Bounds
from collectors.spool.file import sole_use
from collectors.spool.salvage import open_sound
from collectors.spool.spool import Spool
from store.imports import StoredRows, stored_rows

# More waiting than this is not read ahead of the database.
_MOST_WAITING = 50_000
_POLL_S = 0.05
_MOST_REFUSED = 200
_FLUSH_S = 5.0
# Longer than the sink waits for a ledger to stand still behind a spool that is new.
PATIENCE_S = 150.0


class ImportStopped(CollectorError):
    """The import could not go on; the same command goes on where it stopped."""


class NotEnrolled(CollectorError):
    """The import gateway is not known to the factory; enrol it once."""


def known_tags(config: GatewayConfig) -> frozenset[str]:
    """Return the tags of the factory's plan; raises NotEnrolled and StoreError."""
    own = import_gateway(config)
    with transport_for(own).connect() as link:
        found = frozenset(link.tags())
    if not found:
        raise NotEnrolled(
            f"gateway {own.gateway.id} is not enrolled, or the plan of its factory has no tags: "
            f"run `millpond collector enrol {config.path.name} --for-import --factory CODE` once"
        )
    return found


def stored_already(config: GatewayConfig, report: ImportReport) -> list[StoredRows] | None:
    """Return what the database has in the span of the files; None over HTTPS, which cannot tell.

    Raises StoreError.
    """
    tags = sorted({tag for file in report.files for tag in file.tags})
    firsts = [file.first for file in report.files if file.first is not None]
    lasts = [file.last for file in report.files if file.last is not None]
    if config.sink.kind != "timescale" or not tags or not firsts:
        return None
    gateway = import_gateway(config).gateway.id
    with closing(store.connect(config.database_url())) as conn:
        return stored_rows(conn, gateway, tags, min(firsts), max(lasts))


def dry_run(
    config: GatewayConfig, mapping: Mapping, known: frozenset[str] | None, tell: Tell
) -> ImportReport:
    """Read every file to its end and tell what would be imported; known None means any tag."""
    zone = config.context().zone
    report = ImportReport(is_dry_run=True)
    for path, table in mapping.found():
        file = SourceFile.look(path, table)
        found = FileReport(_shown(path, mapping), file.survey.sha256)
        report.files.append(found)
        try:
            for piece in file.pieces(zone, known):
                found.add(piece)
                tell(found.file, found.rows, file.row_count)
        except (NotReadable, OSError) as error:
            found.fault = str(error)
    return report


def run_import(
    config: GatewayConfig,
    mapping: Mapping,
    known: frozenset[str],
    tell: Tell,
    *,
    patience_s: float = PATIENCE_S,
) -> ImportReport:
    """Import every file that was not imported before; returns when the database has all of it.

    Raises ImportStopped when the database takes nothing for patience_s, SpoolBusy when another
    import runs, and ConfigRefused without files.
    """
    own = import_gateway(config)
    transport = CountingTransport(transport_for(own))
    seed = load_or_make_key(own.key_path)
    sink = Sink(own, transport, seed, SkewMeter(), imported=True)
    bounds = Bounds(int(own.spool.max_mb * 1e6), own.spool.max_age_days * 86_400)
    files = [SourceFile.look(path, table) for path, table in mapping.found()]
    report = ImportReport()
    with sole_use(own.spool_path), closing(open_sound(own.spool_path, bounds)) as spool:
        job = _Import(own, spool, sink, known, patience_s)
        sink.start()
        try:
            for file in files:
                found = FileReport(_shown(file.path, mapping), file.survey.sha256)
                report.files.append(found)
                job.bring(file, found, tell)
            job.wait_for_room(0)
        finally:
            sink.stop(_FLUSH_S)
    report.sent_rows, report.sent_records = transport.rows, transport.records
    report.absorbed, report.conflicts = transport.absorbed, transport.conflicts
    return report


def _shown(path: Path, mapping: Mapping) -> str:
    folder = mapping.path.parent
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


class _Import:
    """One run: files in pieces into the spool, no faster than the database takes them."""

    def __init__(
        self,
        own: GatewayConfig,
        spool: Spool,
        sink: Sink,
        known: frozenset[str],
        patience_s: float,
    ) -> None:
        self._own = own
        self._spool = spool
        self._sink = sink
        self._known = known
        self._patience_s = patience_s
        self._zone = own.context().zone
        self._journal = Journal(own.context().state / "import.json")

    def bring(self, file: SourceFile, found: FileReport, tell: Tell) -> None:
        """Put what is left of a file into the spool."""
        before = self._journal.progress(file.name)
        if before.is_done:
            found.is_known = True
            return
        rows, total = before.rows, file.row_count
        try:
            for piece in file.pieces(self._zone, self._known, before.rows):
                found.add(piece)
                self._append(file, found, piece, rows)
                rows += piece.rows
                self._note(file, found, Progress(rows))
                tell(found.file, rows, total)
                self.wait_for_room(_MOST_WAITING)
        except (NotReadable, OSError) as error:
            found.fault = str(error)
            return
        self._note(file, found, Progress(rows, is_done=True))

    def wait_for_room(self, most: int) -> None:
        """Wait until no more than most rows and records wait; raises ImportStopped."""
        best, moved_s = None, time.monotonic()
        while True:
            now = status(self._own)
            waiting = _waiting(now)
            if waiting <= most:
                return
            if best is None or waiting < best:
                best, moved_s = waiting, time.monotonic()
            if time.monotonic() - moved_s > self._patience_s:
                reason = self._sink.failure or "the database takes nothing"
                raise ImportStopped(
                    f"{reason}; {waiting:,} rows wait in {self._own.spool_path.name}, and the same "
                    "command goes on where this one stopped"
                )
            time.sleep(_POLL_S)

    def _append(self, file: SourceFile, found: FileReport, piece: Piece, first: int) -> None:
        label = f"import:{found.file}"
        kept = max(_MOST_REFUSED - (found.refused - len(piece.rejects)), 0)
        # A piece that lacked tags of the plan is another one when the plan has them.
        digest = hashlib.sha256(f"{file.name}:{first}:{sorted(piece.unknown)}".encode())
        delivery = Delivery(
            samples=piece.samples,
            records=piece.records,
            refused=[
                Refused(f"{found.file}, row {one.line}: {one.reason}", one.text)
                for one in piece.rejects[:kept]
            ],
            message=Message(digest.digest(), repeated=True),
        )
        self._spool.append(self._spool.unseen([(label, delivery)]))

    def _note(self, file: SourceFile, found: FileReport, progress: Progress) -> None:
        # Once the plan has the tags that it lacks now, the file is to be read from its beginning.
        if not found.unknown_tags:
            self._journal.note(file.name, progress)


def _waiting(now: GatewayStatus) -> int:
    return now.backlog_rows + now.backlog_records
