"""Reading an entry list as a bureau has it: xlsx or csv, one row a factory, heads in the first."""

import csv
import io
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from api.kpis import by_id
from api.messages import Texts
from api.pool.errors import ImportRefused

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 5000
_MOST_COLUMNS = 200
_LONGEST_SAID = 300
PARTS = ("before", "expected", "basis")

_BRACKETS = re.compile(r"\[.*?\]")
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list; unit is what values are written in, None of a text or a day."""

    name: str
    zh: str
    en: str
    required: bool = False
    kpi: str | None = None
    part: str | None = None
    unit: str | None = None
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell; a percentage of a spreadsheet is kept as it is shown, 85 for 0.85."""

    value: Any
    as_percent: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the list by column name, with its number in the file."""

    number: int
    cells: Mapping[str, Cell]


@cache
def words() -> Mapping[str, Any]:
    """Return what entry.toml says."""
    found = files("api.pool").joinpath("entry.toml").read_text(encoding="utf-8")
    return tomllib.loads(found)


@cache
def columns() -> Mapping[str, Column]:
    """Return every column that a list may have, in the order of the template."""
    found = [
        Column(
            name=name,
            zh=given["head"]["zh"],
            en=given["head"]["en"],
            required=given.get("required", False),
            sample=given["sample"],
        )
        for name, given in words()["column"].items()
    ]
    for kpi_id in words()["kpis"]["listed"]:
        kpi = by_id(kpi_id)
        for part in PARTS:
            said = words()["part"][part]
            is_value = part != "basis"
            tail_zh, tail_en = (
                (f" [{kpi.shown_unit_zh}]", f" [{kpi.shown_unit_en}]") if is_value else ("", "")
            )
            found.append(
                Column(
                    name=f"{kpi_id}_{part}",
                    zh=f"{kpi.zh} {said['zh']}{tail_zh}",
                    en=f"{kpi.en} {said['en']}{tail_en}",
                    kpi=kpi_id,
                    part=part,
                    unit=kpi.shown_unit_zh if is_value else None,
                )
            )
    return {each.name: each for each in found}


def refused(
    code: str, kind: type[ImportRefused] = ImportRefused, /, **values: object
) -> ImportRefused:
    """Return why a list is refused, in the words of entry_refused.CODE in both languages."""
    key = f"entry_refused.{code}"
    return kind(Texts("en")(key, **values), zh=Texts("zh")(key, **values))


def read(content: bytes) -> list[Line]:
    """Return the rows of a list that hold anything; raises ImportRefused with what to do."""
    if not 0 < len(content) <= MOST_BYTES:
        raise refused("bytes", most=MOST_BYTES, given=len(content))
    rows = _workbook(content) if content.startswith(_ZIP) else _csv(content)
    heads: list[Column] | None = None
    found: list[Line] = []
    for number, row in enumerate(rows, 1):
        if all(_is_empty(cell) for cell in row):
            continue
        if heads is None:
            heads = _heads(row)
            continue
        if len(found) == MOST_ROWS:
            raise refused("rows", most=MOST_ROWS)
        found.append(_line(number, heads, row))
    if not found:
        raise refused("empty")
    return found


def _line(number: int, heads: Sequence[Column], row: Sequence[Cell]) -> Line:
    return Line(
        number,
        {
            head.name: cell
            for head, cell in zip(heads, row, strict=False)
            if head.name and not _is_empty(cell)
        },
    )


def _heads(row: Sequence[Cell]) -> list[Column]:
    by_head = {
        _plain(text): column
        for column in columns().values()
        for text in (column.name, column.zh, column.en)
    }
    found, unknown = [], []
    for cell in row:
        text = "" if _is_empty(cell) else str(cell.value)
        column = by_head.get(_plain(text))
        if text and column is None:
            unknown.append(text)
        if column is not None:
            _check_unit(text, column)
        found.append(column or Column("", "", ""))
    names = [each.name for each in found if each.name]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise refused("twice", given=columns()[twice[0]].zh)
    missing = [each.zh for each in columns().values() if each.required and each.name not in names]
    if missing:
        raise refused("lacks", given=", ".join(missing))
    if unknown:
        raise refused("unknown", given=", ".join(unknown)[:_LONGEST_SAID])
    return found


def _check_unit(text: str, column: Column) -> None:
    said = _BRACKETS.findall(unicodedata.normalize("NFKC", text))
    heads = unicodedata.normalize("NFKC", column.zh + column.en)
    if said and said[0] not in heads:
        raise refused("unit", given=text, head=column.zh)


def _plain(text: str) -> str:
    """Return a head without blanks, width and what stands in brackets."""
    folded = unicodedata.normalize("NFKC", text).replace("【", "[").replace("】", "]")
    return re.sub(r"\s+", "", _BRACKETS.sub("", folded)).casefold()


def _is_empty(cell: Cell) -> bool:
    return cell.value is None or (isinstance(cell.value, str) and not cell.value.strip())


def _csv(content: bytes) -> Iterator[list[Cell]]:
    for encoding in ("utf-8-sig", "gb18030"):  # Excel in China writes the latter
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise refused("encoding")
    if "\0" in text:
        raise refused("form")
    try:
        for row in csv.reader(io.StringIO(text, newline="")):
            yield [Cell(value) for value in row[:_MOST_COLUMNS]]
    except csv.Error as error:
        raise refused("csv", given=error) from error


def _workbook(content: bytes) -> Iterator[list[Cell]]:
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise refused("workbook") from error
    try:
        sheet = book.worksheets[0]
        for row in sheet.iter_rows(max_row=MOST_ROWS + 100, max_col=_MOST_COLUMNS):
            yield [_cell(each.value, each.number_format or "") for each in row]
    finally:
        book.close()


def _cell(value: Any, number_format: str) -> Cell:
    is_percent = "%" in number_format and isinstance(value, int | float)
    return Cell(value * 100 if is_percent else value, is_percent)
