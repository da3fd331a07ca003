"""Rows of the past to values and records; what does not fit is refused by its row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from collectors import status
from collectors.documents import NotDecoded, kind_of, moment
from collectors.files.lines import NotReadable, Row
from collectors.history.settings import HistoryFile, HistoryTag
from collectors.records import to_record
from collectors.sample import Sample, bad, measured, time_is_plausible, to_us
from collectors.table_rows import Writing, document, fixed, formatted, number, shown
from store.canonical import Record

_GOOD = ("Good", "good", "GOOD", "192", "0", "正常")
_UNIX = {"unix_s": 1_000_000, "unix_ms": 1_000}


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was refused: its number, why, and what stood there."""

    line: int
    reason: str
    text: str


@dataclass(slots=True)
class Piece:
    """What some rows held; unknown counts the values of tags that the plan does not have."""

    samples: list[Sample] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    rows: int = 0


class RowDecoder:
    """Decodes the rows of files that are written alike; known tags None means any."""

    def __init__(self, table: HistoryFile, zone: ZoneInfo, known: frozenset[str] | None) -> None:
        self._table = table
        self._zone = ZoneInfo(table.timezone) if table.timezone else zone
        self._known = known
        self._by_column = {tag.column: tag for tag in table.tags}
        missing = ("",) if table.missing is None else tuple(table.missing)
        self._writing = Writing(
            self._zone, table.date_format, table.time_format, table.decimal_comma, missing
        )
        self._good = frozenset(_GOOD if table.good is None else table.good)
        self._checked = False
        # Many rows in a row often carry one time.
        self._last_time: tuple[Any, int] | None = None

    def piece(self, rows: Iterable[Row]) -> Piece:
        """Return what some rows hold; raises NotReadable where the table lacks a column."""
        piece = Piece()
        for row in rows:
            piece.rows += 1
            try:
                if row.fault is not None:
                    raise NotDecoded(row.fault)
                self._check_columns(row)
                self._add(piece, row)
            except NotDecoded as error:
                text = row.text or shown(row.cells)
                piece.rejects.append(Reject(row.line, str(error), text))
        return piece

    def _check_columns(self, row: Row) -> None:
        if self._checked:
            return
        self._checked = True
        table = self._table
        if table.layout == "records":
            wanted = list((table.columns or {}).values())
        else:
            named = (table.date, table.time, table.name, table.value, table.status)
            wanted = [name for name in named if name]
        if table.layout == "wide":
            wanted += [name for tag in table.tags for name in (tag.column, tag.status) if name]
        missing = [name for name in wanted if name not in row.cells]
        if missing:
            found = ", ".join(row.cells)
            raise NotReadable(f"it has no column {', '.join(missing)} (there are: {found})")

    def _add(self, piece: Piece, row: Row) -> None:
        match self._table.layout:
            case "records":
                piece.records.append(self._record(row))
            case "long":
                self._add_long(piece, row)
            case _:
                self._add_wide(piece, row)

    def _record(self, row: Row) -> Record:
        table = self._table
        assert table.kind is not None
        body = document(table.kind, row.cells, table.columns or {}, self._writing)
        return to_record(table.kind, body, self._zone, table.key, table.at)

    def _add_long(self, piece: Piece, row: Row) -> None:
        table = self._table
        assert table.name is not None
        assert table.value is not None
        name = self._text(row.cells[table.name])
        if not name:
            raise NotDecoded(f"{table.name} is empty")
        tag = self._by_column.get(name)
        if tag is None:
            if self._by_column:
                _count(piece.unknown, name)
                return
            tag = HistoryTag(column=name, tag=name)
        if not self._is_known(piece, tag):
            return
        quality = row.cells[table.status] if table.status else None
        ts_us = self._ts_us(row.cells)
        piece.samples.append(self._sample(tag, ts_us, row.cells[table.value], quality))

    def _add_wide(self, piece: Piece, row: Row) -> None:
        ts_us = self._ts_us(row.cells)
        found = []
        for tag in self._table.tags:
            cell = row.cells[tag.column]
            if not self._is_known(piece, tag):
                continue
            quality = row.cells[tag.status] if tag.status else None
            if self._is_missing(cell) and quality is None:
                # In a wide table an empty cell only says that another column has a row here.
                continue
            found.append(self._sample(tag, ts_us, cell, quality))
        piece.samples += found

    def _is_known(self, piece: Piece, tag: HistoryTag) -> bool:
        if self._known is None or tag.tag in self._known:
            return True
        _count(piece.unknown, tag.tag)
        return False

    # --- cells -----------------------------------------------------------------------------------

    def _sample(self, tag: HistoryTag, ts_us: int, cell: Any, quality: Any) -> Sample:
        code = self._code(quality)
        if status.is_bad(code):
            return bad(tag.tag, ts_us, code)
        if self._is_missing(cell):
            return bad(tag.tag, ts_us, status.BAD_NO_DATA)
        value = self._number(tag, cell)
        try:
            return measured(tag.tag, ts_us, float(value) * tag.scale + tag.offset, code)
        except OverflowError as error:
            raise NotDecoded(f"{tag.column} is too large a number") from error

    def _number(self, tag: HistoryTag, cell: Any) -> float | int:
        if isinstance(cell, int | float):
            return cell
        if isinstance(cell, Decimal):
            return float(cell)
        if not isinstance(cell, str):
            raise NotDecoded(f"{tag.column} is {_named(cell)}, not a number")
        found = number(cell.strip(), decimal_comma=self._table.decimal_comma)
        if found is None:
            raise NotDecoded(f'{tag.column}: "{cell}" is not a number')
        return found

    def _code(self, quality: Any) -> int:
        """Return the status of a quality: one of the good words, an OPC UA name, else Bad."""
        if quality is None:
            return status.GOOD
        word = self._text(quality)
        if not word or word in self._good:
            return status.GOOD
        return status.CODES.get(word, status.CODES["Bad"])

    def _ts_us(self, cells: Mapping[str, Any]) -> int:
        table = self._table
        assert table.time is not None
        cell = cells[table.time]
        if table.date is not None:
            cell = self._joined(cells[table.date], cell)
        if self._last_time is not None and self._last_time[0] == cell:
            return self._last_time[1]
        found = self._time_us(cell)
        if not time_is_plausible(found):
            raise NotDecoded(f"{table.time} lies outside the years 1970 to 2200")
        self._last_time = (cell, found)
        return found

    def _time_us(self, cell: Any) -> int:
        table = self._table
        if isinstance(cell, datetime | date):
            whole = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
            return to_us(fixed(whole if whole.tzinfo else whole.replace(tzinfo=self._zone)))
        if table.time_format in _UNIX:
            return self._unix_us(cell, _UNIX[table.time_format])
        if self._is_missing(cell):
            raise NotDecoded(f"{table.time} is empty")
        text = self._text(cell)
        if table.time_format is None:
            return to_us(moment(text, self._zone))
        at = formatted(text, table.time_format, self._zone)
        if at is None:
            raise NotDecoded(f'"{text}" is not a time as {table.time_format} writes it')
        return to_us(at)

    def _unix_us(self, cell: Any, factor: int) -> int:
        found = number(cell.strip()) if isinstance(cell, str) else cell
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise NotDecoded(f"{self._table.time} is {_named(cell)}, not a number of seconds")
        try:
            return round(found * factor)
        except (OverflowError, ValueError) as error:
            raise NotDecoded(f"{self._table.time} is no time: {_named(cell)}") from error

    def _joined(self, day: Any, at: Any) -> Any:
        if isinstance(day, date) and isinstance(at, time):
            return datetime.combine(day, at)
        return f"{self._text(day)} {self._text(at)}"

    def _text(self, cell: Any) -> str:
        if isinstance(cell, float) and cell.is_integer():
            return str(int(cell))
        return "" if cell is None else str(cell).strip()

    def _is_missing(self, cell: Any) -> bool:
        if cell is None or (isinstance(cell, float) and cell != cell):
            return True
        return isinstance(cell, str) and cell.strip() in self._writing.missing


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def _named(cell: Any) -> str:
    return f'"{cell}"' if isinstance(cell, str) else kind_of(cell)
