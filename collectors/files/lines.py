"""The rows of CSV, JSON and JSON-lines files, one by one, each with its line number.

A file is looked through once, which gives its hash and its encoding, and then read row by row, so
that its size is no matter.
"""

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.documents import NotDecoded, parse_text

_PIECE = 1 << 20
_LONGEST_CELL = 1 << 20
# A JSON document can only be read whole.
_LONGEST_DOCUMENT = 64 << 20


class NotReadable(Exception):
    """A file cannot be read as what it is said to be; the reason says from which line on."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it begins, its cells by column, and what is wrong with it as a whole.

    The cells of a table are texts, those of a JSON document are typed already.
    """

    line: int
    cells: dict[str, Any]
    text: str
    fault: str | None = None
    is_table: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look through a file tells; the encoding holds for all of it."""

    sha256: str
    encoding: str
    lines: int


def look_through(path: Path, encoding: str) -> Survey:
    """Read a file once from end to end, as bytes; raises OSError."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, lines = True, 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            lines += piece.count(b"\n")
            is_utf8 = is_utf8 and _decodes(decoder, piece, final=False)
    is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    names = {"utf-8": "utf-8-sig", "gb18030": "gb18030"}
    found = names.get(encoding, "utf-8-sig" if is_utf8 else "gb18030")
    return Survey(digest.hexdigest(), found, lines)


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def rows(
    path: Path, encoding: str, delimiter: str, skip_lines: int = 0
) -> Generator[Row, None, None]:
    """Yield the rows of a file; raises NotReadable and OSError. To be closed by the caller.

    The lines to skip stand before the header of a table.
    """
    with path.open(encoding=encoding, newline="") as file:
        try:
            match path.suffix.lower():
                case ".json":
                    yield from _document_rows(file)
                case ".jsonl" | ".ndjson":
                    yield from _json_lines(file)
                case _:
                    yield from _csv_rows(file, delimiter, skip_lines)
        except UnicodeDecodeError as error:
            raise NotReadable(f"it is not written in {encoding.removesuffix('-sig')}") from error


def _csv_rows(file: io.TextIOBase, delimiter: str, skip_lines: int) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_CELL)
    for _ in range(skip_lines):
        file.readline(_LONGEST_CELL)
    reader = csv.reader(file, delimiter=delimiter)
    before = 0
    header: list[str] | None = None
    try:
        for cells in reader:
            line, before = skip_lines + before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = header_of([cell.strip() for cell in cells])
                continue
            text = delimiter.join(cells)
            fault = None
            if len(cells) != len(header):
                fault = f"it has {len(cells)} cells, the header has {len(header)}"
            # What is missing at the end of a line is missing; what is too much fits nowhere.
            yield Row(line, dict(zip(header, cells, strict=False)), text, fault, is_table=True)
    except csv.Error as error:
        raise NotReadable(
            f"from line {skip_lines + before + 1} on it is no CSV: {error}"
        ) from error


def header_of(names: list[str]) -> list[str]:
    """Return the names of a table's columns; raises NotReadable where one stands there twice."""
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise NotReadable(f"its header names {', '.join(twice)} twice")
    return names


def _json_lines(file: io.TextIOBase) -> Iterator[Row]:
    number = 0
    while text := file.readline(_LONGEST_CELL):
        number += 1
        if not text.endswith("\n") and len(text) >= _LONGEST_CELL:
            raise NotReadable(f"line {number} is longer than {_LONGEST_CELL:,} characters")
        if text.strip():
            yield _parsed(number, text.strip())


def _document_rows(file: io.TextIOBase) -> Iterator[Row]:
    text = file.read(_LONGEST_DOCUMENT + 1)
    if len(text) > _LONGEST_DOCUMENT:
        raise NotReadable("as one document it is too long; write it as .jsonl, line by line")
    try:
        document = parse_text(text)
    except NotDecoded as error:
        raise NotReadable(str(error)) from error
    items = document if isinstance(document, list) else [document]
    for number, item in enumerate(items, start=1):
        yield _row(number, item, json.dumps(item, ensure_ascii=False))


def _parsed(number: int, text: str) -> Row:
    try:
        return _row(number, parse_text(text), text)
    except NotDecoded as error:
        return Row(number, {}, text, str(error))


def _row(number: int, item: Any, text: str) -> Row:
    if not isinstance(item, dict):
        return Row(number, {}, text, "it is no object with named values")
    return Row(number, item, text)
