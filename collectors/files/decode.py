"""Rows of a file to what the gateway stores: records or values, and lines that are refused."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from collectors.documents import NotDecoded, moment
from collectors.files.lines import NotReadable, Row
from collectors.files.settings import FileRecord, FileValues
from collectors.records import to_record
from collectors.sample import Delivery, Message, Refused, Sample, to_us
from collectors.table_rows import Writing, document, formatted, number
from collectors.tag_values import tag_sample
from store.canonical import Record

_ROWS = 500
_MOST_REFUSED = 200
_PIECE_LETTERS = 32

Rule = FileRecord | FileValues


@dataclass(frozen=True, slots=True)
class Reading:
    """What tells one reading of a file from those of other files, and from those before it.

    The same after a crash; another where the file was written anew, since what it says again after
    it said otherwise is news. before has the hashes of the pieces that were read last.
    """

    name: str
    mtime_ns: int = 0
    last_sha256: str = ""
    before: tuple[str, ...] = ()

    def is_known(self, place: int, piece: str) -> bool:
        """Tell whether a piece is what stood at its place before."""
        return place < len(self.before) and self.before[place] == piece

    def message(self, place: int, piece: str) -> Message:
        """Return by what the spool knows a piece again."""
        text = f"{self.name}\0{self.mtime_ns}\0{self.last_sha256}\0{place}\0{piece}"
        return Message(hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest(), True)


class Decoder:
    """Turns the rows of one file into deliveries; name is how messages call the file.

    pieces has the hashes of those that were read so far.
    """

    def __init__(
        self,
        name: str,
        rule: Rule,
        tags: frozenset[str],
        zone: ZoneInfo,
        reading: Reading | None = None,
    ) -> None:
        self._name = name
        self._reading = reading or Reading(name)
        self.pieces: list[str] = []
        self._rule = rule
        self._tags = tags
        dates = rule.date_format if isinstance(rule, FileRecord) else None
        self._writing = Writing(zone, dates, rule.time_format, rule.decimal_comma)
        self._refused = 0
        self._checked = False

    def deliveries(self, rows: Iterable[Row]) -> Iterator[Delivery]:
        """Yield what the rows hold; a file that cannot be read to its end is refused from there."""
        waiting, is_more = iter(rows), True
        while is_more:
            delivery = Delivery()
            digest = hashlib.sha256(repr(self._rule).encode())
            try:
                is_more = self._piece(waiting, delivery, digest)
            except NotReadable as error:
                delivery.refused.append(Refused(f"{self._name}: {error}", self._name))
                is_more = False
            if not is_more:
                self._sum_up(delivery)
            place, piece = len(self.pieces), digest.hexdigest()[:_PIECE_LETTERS]
            self.pieces.append(piece)
            if not self._reading.is_known(place, piece):
                # After a crash the same rows come again, and the spool knows them by this.
                delivery.message = self._reading.message(place, piece)
                yield delivery

    def _piece(self, rows: Iterator[Row], delivery: Delivery, digest: "hashlib._Hash") -> bool:
        """Fill a delivery with the next rows; tell whether there may be more."""
        for _ in range(_ROWS):
            row = next(rows, None)
            if row is None:
                return False
            digest.update(f"{row.line}\0{row.text}\0".encode("utf-8", "backslashreplace"))
            self._add(delivery, row)
        return True

    def _add(self, delivery: Delivery, row: Row) -> None:
        try:
            if row.fault is not None:
                raise NotDecoded(row.fault)
            self._check_columns(row)
            if isinstance(self._rule, FileRecord):
                delivery.records.append(self._record(self._rule, row))
            else:
                delivery.samples.append(self._sample(self._rule, row))
        except NotDecoded as error:
            self._refused += 1
            if self._refused <= _MOST_REFUSED:
                reason = f"{self._name}, line {row.line}: {error}"
                delivery.refused.append(Refused(reason, _storable(row.text)))

    def _check_columns(self, row: Row) -> None:
        """Raise NotReadable where a table lacks a column: that is told once, not line by line."""
        if self._checked or not row.is_table:
            return
        self._checked = True
        rule = self._rule
        if isinstance(rule, FileRecord):
            wanted = list((rule.columns or {}).values())
        else:
            wanted = [name for name in (rule.tag, rule.value, rule.ts, rule.status) if name]
        missing = [name for name in wanted if name not in row.cells]
        if missing:
            found = ", ".join(row.cells)
            raise NotReadable(f"it has no column {', '.join(missing)} (there are: {found})")

    def _sum_up(self, delivery: Delivery) -> None:
        more = self._refused - _MOST_REFUSED
        if more > 0:
            reason = f"{self._name}: {more} more lines were refused, after these {_MOST_REFUSED}"
            delivery.refused.append(Refused(reason, self._name))

    def _record(self, rule: FileRecord, row: Row) -> Record:
        body = row.cells
        if row.is_table or rule.columns:
            body = document(rule.kind, row.cells, rule.columns or {}, self._writing)
        return to_record(rule.kind, body, self._writing.zone, rule.key, rule.at)

    def _sample(self, rule: FileValues, row: Row) -> Sample:
        tag = self._cell(row, rule.tag)
        if not isinstance(tag, str) or tag not in self._tags:
            raise NotDecoded(f'"{tag}" is not among the tags of this source')
        ts_us = to_us(self._moment(self._cell(row, rule.ts)))
        quality = self._cell(row, rule.status) if rule.status is not None else None
        return tag_sample(tag, ts_us, self._number(row, rule.value), quality or None)

    def _cell(self, row: Row, column: str) -> Any:
        if column not in row.cells:
            raise NotDecoded(f'there is no column "{column}"')
        cell = row.cells[column]
        return cell.strip() if isinstance(cell, str) else cell

    def _number(self, row: Row, column: str) -> Any:
        cell = self._cell(row, column)
        if not isinstance(cell, str):
            return cell
        if cell in self._writing.missing:
            return None
        found = number(cell, decimal_comma=self._writing.decimal_comma)
        if found is None:
            raise NotDecoded(f'{column}: "{cell}" is not a number')
        return found

    def _moment(self, text: Any) -> Any:
        pattern, zone = self._writing.time_format, self._writing.zone
        if pattern is None or not isinstance(text, str):
            return moment(text, zone)
        found = formatted(text, pattern, zone)
        if found is None:
            raise NotDecoded(f'"{text}" is not a time as {pattern} writes it')
        return found


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
