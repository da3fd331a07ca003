"""The keys of a source of files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from collectors.config.fields import (
    Fault,
    SourceTable,
    TagTable,
    form,
    not_empty,
    number,
    tables,
)
from collectors.config.shared import (
    BUSINESS_TIME,
    COLUMNS,
    DATE_FORMAT,
    DECIMAL_COMMA,
    DELIMITER,
    ENCODING,
    NATURAL_KEY,
    RECORD_KIND,
    unfit_columns,
)

SUFFIXES = (".csv", ".txt", ".json", ".jsonl", ".ndjson")


def _pattern(text: str) -> str | None:
    if "/" in text or "\\" in text:
        return "must be the pattern of a name, without a folder"
    if not text.lower().endswith(SUFFIXES):
        return f"must end with one of {', '.join(SUFFIXES)}"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTag(TagTable):
    """[[source.tag]]: a tag that the files may hold values of; any other is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTable:
    """What every sort of file has: how it is named and written."""

    pattern: str = field(metadata=form(_pattern, "names of the files, such as orders-*.csv"))
    encoding: str = field(default="auto", metadata=ENCODING)
    delimiter: str = field(default=",", metadata=DELIMITER)
    decimal_comma: bool = field(default=False, metadata=DECIMAL_COMMA)
    time_format: str | None = field(
        default=None, metadata=form(not_empty, "such as %Y/%m/%d %H:%M:%S; ISO 8601 without")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord(FileTable):
    """[[source.record]]: files whose lines are business records."""

    kind: str = field(metadata=RECORD_KIND)
    columns: Mapping[str, str] | None = field(default=None, metadata=COLUMNS)
    date_format: str | None = field(default=None, metadata=DATE_FORMAT)
    key: str | None = field(default=None, metadata=NATURAL_KEY)
    at: str | None = field(default=None, metadata=BUSINESS_TIME)


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
