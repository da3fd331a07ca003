"""Rows of CSV, XLSX and Parquet files, one by one, in bounded memory."""

from collections.abc import Generator, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from collectors.files.lines import NotReadable, Row, Survey, header_of
from collectors.files.lines import rows as text_rows
from collectors.history.settings import HistoryFile

_ROWS_AT_ONCE = 5000


def rows(path: Path, table: HistoryFile, survey: Survey) -> Generator[Row, None, None]:
    """Yield the rows of a file with their numbers; raises NotReadable and OSError.

    To be closed by the caller.
    """
    match path.suffix.lower():
        case ".xlsx":
            yield from _workbook_rows(path, table)
        case ".parquet":
            yield from _parquet_rows(path)
        case _:
            encoding, skip = survey.encoding, table.skip_lines
            with closing(text_rows(path, encoding, table.delimiter, skip)) as found:
                yield from found


def row_count(path: Path, table: HistoryFile, survey: Survey) -> int | None:
    """Return about how many rows a file has, None where only reading it would tell."""
    match path.suffix.lower():
        case ".xlsx":
            return None
        case ".parquet":
            try:
                return int(_parquet().read_metadata(path).num_rows)
            except _arrow_errors():
                return None
        case _:
            return max(survey.lines - table.skip_lines - 1, 0)


def _workbook_rows(path: Path, table: HistoryFile) -> Iterator[Row]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, ValueError) as error:
        raise NotReadable(f"it is no workbook: {error}") from error
    with closing(book):
        if table.sheet is not None and table.sheet not in book.sheetnames:
            raise NotReadable(
                f'it has no sheet "{table.sheet}" (there are: {", ".join(book.sheetnames)})'
            )
        sheet: Any = book[table.sheet] if table.sheet else book.worksheets[0]
        # Some programs write a wrong size of the sheet, and rows beyond it would be left out.
        sheet.reset_dimensions()
        yield from _sheet_rows(sheet.iter_rows(values_only=True), table.skip_lines)


def _sheet_rows(found: Iterator[tuple[Any, ...]], skip: int) -> Iterator[Row]:
    header: list[str] | None = None
    for number, cells in enumerate(found, start=1):
        if number <= skip or all(cell is None for cell in cells):
            continue
        if header is None:
            header = header_of(["" if cell is None else str(cell).strip() for cell in cells])
            continue
        # The empty cells at the end of a row are not in the file.
        padded = (*cells, *(None,) * (len(header) - len(cells)))
        named = {name: cell for name, cell in zip(header, padded, strict=False) if name}
        yield Row(number, named, "", is_table=True)


def _parquet_rows(path: Path) -> Iterator[Row]:
    errors = _arrow_errors()
    number = 0
    try:
        with _parquet().ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for cells in _whole_microseconds(batch).to_pylist():
                    number += 1
                    yield Row(number, cells, "", is_table=True)
    except errors as error:
        raise NotReadable(f"from row {number + 1} on it is no Parquet: {error}") from error


def _whole_microseconds(batch: Any) -> Any:
    """Return a batch whose times Python can hold: nanoseconds are cut to microseconds."""
    arrow: Any = import_module("pyarrow")
    columns = [
        column.cast(arrow.timestamp("us", column.type.tz), safe=False)
        if arrow.types.is_timestamp(column.type)
        else column
        for column in batch.columns
    ]
    return arrow.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _parquet() -> Any:
    # The library ships no types, and is slow to import.
    return import_module("pyarrow.parquet")


def _arrow_errors() -> tuple[type[Exception], ...]:
    found: Any = import_module("pyarrow")
    return (found.ArrowException,)
