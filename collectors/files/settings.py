"""The keys of a source of files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.config.fields import (
    Fault,
    SourceTable,
    TagTable,
    choice,
    form,
    json_path,
    judged,
    not_empty,
    number,
    plain,
    tables,
)
from store.record_kinds import KINDS, record_kind

ENCODINGS = ("auto", "utf-8", "gb18030")
SUFFIXES = (".csv", ".txt", ".json", ".jsonl", ".ndjson")


def _pattern(text: str) -> str | None:
    if "/" in text or "\\" in text:
        return "must be the pattern of a name, without a folder"
    if not text.lower().endswith(SUFFIXES):
        return f"must end with one of {', '.join(SUFFIXES)}"
    return None


def columns_of_fields(given: Any) -> str | None:
    """Judge a table of fields and the columns that hold them."""
    if not isinstance(given, Mapping) or not given:
        return 'must be a table such as { line = "Line no." }'
    if not all(isinstance(column, str) and column.strip() for column in given.values()):
        return "must name a column, as a text in quotes, for each field"
    return None


def unfit_columns(kind: str, columns: Mapping[str, str]) -> Iterator[str]:
    """Return which fields the columns of a kind lack or have too many, where there are columns."""
    known = record_kind(kind)
    if known is None or not columns:
        return
    for name in known.schema["required"]:
        if name not in columns:
            yield f'columns lack "{name}", which {kind} must have'
    for name in columns:
        if name not in known.schema["properties"]:
            yield f'columns: {kind} has no field "{name}"'


def one_letter(text: str) -> str | None:
    """Judge what parts the cells of a line."""
    return None if len(text) == 1 else "must be one character"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTag(TagTable):
    """[[source.tag]]: a tag that the files may hold values of; any other is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTable:
    """What every sort of file has: how it is named and written."""

    pattern: str = field(metadata=form(_pattern, "names of the files, such as orders-*.csv"))
    encoding: str = field(
        default="auto",
        metadata=choice(*ENCODINGS, about="auto takes UTF-8, and GB 18030 where it is not that"),
    )
    delimiter: str = field(default=",", metadata=form(one_letter, "parts the cells of a line"))
    decimal_comma: bool = field(default=False, metadata=plain("numbers are written as 1.234,5"))
    time_format: str | None = field(
        default=None, metadata=form(not_empty, "such as %Y/%m/%d %H:%M:%S; ISO 8601 without")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord(FileTable):
    """[[source.record]]: files whose lines are business records."""

    kind: str = field(metadata=choice(*KINDS, about="what the lines are; see the record kinds"))
    columns: Mapping[str, str] | None = field(
        default=None,
        metadata=judged(columns_of_fields, "which column holds which field; by name without"),
    )
    date_format: str | None = field(
        default=None, metadata=form(not_empty, "such as %Y/%m/%d; ISO 8601 without")
    )
    key: str | None = field(
        default=None,
        metadata=form(json_path, "path of the natural key, in place of the schema's own"),
    )
    at: str | None = field(
        default=None,
        metadata=form(json_path, "path of the business time, in place of the schema's own"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileValues(FileTable):
    """[[source.values]]: files whose lines are values of tags."""

    tag: str = field(default="tag", metadata=form(not_empty, "column with the name of the tag"))
    value: str = field(default="value", metadata=form(not_empty, "column with the value"))
    ts: str = field(default="ts", metadata=form(not_empty, "column with the time"))
    status: str | None = field(
        default=None, metadata=form(not_empty, "column with the OPC UA status; Good without")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesSource(SourceTable):
    """[[source]]: a folder into which systems write; files are read, never moved or changed."""

    folder: str = field(metadata=form(not_empty, "the folder; relative to the gateway file"))
    poll_s: float = field(
        default=10.0, metadata=number(0.1, 86_400, about="how often the folder is looked through")
    )
    tags: tuple[FileTag, ...] = field(default=(), metadata=tables("tag"))
    records: tuple[FileRecord, ...] = field(default=(), metadata=tables("record"))
    values: tuple[FileValues, ...] = field(default=(), metadata=tables("values"))

    def faults(self) -> Iterator[Fault]:
        """Return what is wrong between keys: values without tags, and fields that do not exist."""
        if bool(self.values) != bool(self.tags):
            yield Fault((), "[[source.values]] and [[source.tag]] go together")
        for index, record in enumerate(self.records):
            for message in unfit_columns(record.kind, record.columns or {}):
                yield Fault(("record", index, "columns"), message)
