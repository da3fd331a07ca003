"""What an import found, file by file, and what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from collectors.history.decode import Piece, Reject
from collectors.sample import from_us, to_us
from store.imports import StoredRows

_MOST_SHOWN = 20


@dataclass(slots=True)
class FileReport:
    """One file: what was read of it in this run; known means that it was imported before."""

    file: str
    sha256: str
    rows: int = 0
    values: int = 0
    records: int = 0
    first: datetime | None = None
    last: datetime | None = None
    tags: list[str] = field(default_factory=list)
    unknown_tags: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    refused_rows: list[Reject] = field(default_factory=list)
    is_known: bool = False
    fault: str | None = None

    def add(self, piece: Piece) -> None:
        """Count what a piece holds."""
        self.rows += piece.rows
        self.values += len(piece.samples)
        self.records += len(piece.records)
        self.refused += len(piece.rejects)
        room = _MOST_SHOWN - len(self.refused_rows)
        self.refused_rows += piece.rejects[: max(room, 0)]
        for name, count in piece.unknown.items():
            self.unknown_tags[name] = self.unknown_tags.get(name, 0) + count
        if piece.samples:
            self.tags = sorted({*self.tags, *(sample.tag for sample in piece.samples)})
        self._widen(piece)

    def _widen(self, piece: Piece) -> None:
        times_us = [sample.ts_us for sample in piece.samples]
        times_us += [to_us(record.at) for record in piece.records]
        if times_us:
            first, last = from_us(min(times_us)), from_us(max(times_us))
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)


@dataclass(slots=True)
class ImportReport:
    """All files; the counts of what was sent are those of the database's answers.

    overlap is None where the database was not asked or could not be reached.
    """

    files: list[FileReport] = field(default_factory=list)
    is_dry_run: bool = False
    sent_rows: int = 0
    sent_records: int = 0
    absorbed: int = 0
    conflicts: int = 0
    overlap: Sequence[StoredRows] | None = None
    note: str | None = None

    @property
    def is_clean(self) -> bool:
        """Whether everything in the files was taken, or could be."""
        return not any(one.refused or one.unknown_tags or one.fault for one in self.files)


# File, rows read, rows in all where that is known.
Tell = Callable[[str, int, int | None], None]
