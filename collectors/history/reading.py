"""Files of the past in pieces of a fixed length, so that each run cuts them alike."""

import hashlib
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from collectors.files.lines import Survey, look_through
from collectors.history import tables
from collectors.history.decode import Piece, RowDecoder
from collectors.history.settings import HistoryFile

PIECE_ROWS = 5000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file with its table; name tells its content and its mapping apart from all others."""

    path: Path
    table: HistoryFile
    survey: Survey

    @classmethod
    def look(cls, path: Path, table: HistoryFile) -> "SourceFile":
        """Look a file through once; raises OSError."""
        return cls(path, table, look_through(path, table.encoding))

    @property
    def name(self) -> str:
        """Name the content and how it is understood."""
        mapping = hashlib.sha256(repr(self.table).encode()).hexdigest()
        return f"{self.survey.sha256}:{mapping[:16]}"

    @property
    def row_count(self) -> int | None:
        """About how many rows it has, None where only reading it would tell."""
        return tables.row_count(self.path, self.table, self.survey)

    def pieces(
        self, zone: ZoneInfo, known: frozenset[str] | None, skip: int = 0
    ) -> Generator[Piece, None, None]:
        """Yield what the rows after the first few hold; raises NotReadable and OSError."""
        decoder = RowDecoder(self.table, zone, known)
        with closing(tables.rows(self.path, self.table, self.survey)) as rows:
            for _ in islice(rows, skip):
                pass
            while (piece := decoder.piece(islice(rows, PIECE_ROWS))).rows:
                yield piece
