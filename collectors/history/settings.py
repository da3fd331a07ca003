"""The keys of a mapping file: where the tables of the past lie, and what stands in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.config.fields import (
    Fault,
    choice,
    form,
    judged,
    not_empty,
    number,
    plain,
    tables,
    timezone,
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
    only_for,
    unfit_columns,
)

SUFFIXES = (".csv", ".txt", ".xlsx", ".parquet")


def _pattern(text: str) -> str | None:
    if not text.lower().endswith(SUFFIXES):
        return f"must end with one of {', '.join(SUFFIXES)}"
    return None


def _words(given: Any) -> str | None:
    if isinstance(given, list) and all(isinstance(word, str) for word in given):
        return None
    return 'must be a list of texts such as ["", "-"]'


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTag:
    """[[file.tag]]: a tag, its column or its name in the file, and its unit there."""

    column: str = field(
        metadata=form(not_empty, "wide: the column with its values; long: its name in the file")
    )
    tag: str = field(metadata=form(not_empty, "its name in the monitoring plan"))
    scale: float = field(default=1.0, metadata=plain("value = number in the file * scale + offset"))
    offset: float = field(default=0.0, metadata=plain("see scale"))
    status: str | None = field(
        default=None, metadata=form(not_empty, "wide: the column with its quality")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFile:
    """[[file]]: some files that are written alike."""

    files: str = field(
        metadata=form(_pattern, "the files, such as history/*.csv; relative to the mapping file")
    )
    layout: str = field(
        metadata=choice(
            *("long", "wide", "records"),
            about="long: a row is one value; wide: a column is one tag; records: a row is a record",
        )
    )
    sheet: str | None = field(
        default=None, metadata=form(not_empty, "sheet of a workbook; the first without")
    )
    encoding: str = field(default="auto", metadata=ENCODING)
    delimiter: str = field(default=",", metadata=DELIMITER)
    skip_lines: int = field(
        default=0, metadata=number(0, 1000, about="lines or rows before the header")
    )
    decimal_comma: bool = field(default=False, metadata=DECIMAL_COMMA)
    missing: list[str] | None = field(
        default=None, metadata=judged(_words, 'cells that hold nothing; by default [""]')
    )
    date: str | None = field(
        default=None, metadata=form(not_empty, "column with the day, where time has a column alone")
    )
    time: str | None = field(default=None, metadata=form(not_empty, "column with the time"))
    time_format: str | None = field(
        default=None,
        metadata=form(
            not_empty, "such as %Y/%m/%d %H:%M:%S, or unix_s or unix_ms; ISO 8601 without"
        ),
    )
    timezone: str | None = field(
        default=None, metadata=form(timezone, "of times without an offset; the gateway's without")
    )
    name: str | None = field(
        default=None, metadata=form(not_empty, "long: column with the name of the tag")
    )
    value: str | None = field(default=None, metadata=form(not_empty, "long: column with the value"))
    status: str | None = field(
        default=None, metadata=form(not_empty, "long: column with the quality; Good without")
    )
    good: list[str] | None = field(
        default=None,
        metadata=judged(_words, 'qualities that are good; by default ["Good", "192", "0"]'),
    )
    kind: str | None = field(default=None, metadata=only_for("records", RECORD_KIND))
    columns: Mapping[str, str] | None = field(default=None, metadata=only_for("records", COLUMNS))
    date_format: str | None = field(default=None, metadata=only_for("records", DATE_FORMAT))
    key: str | None = field(default=None, metadata=only_for("records", NATURAL_KEY))
    at: str | None = field(default=None, metadata=only_for("records", BUSINESS_TIME))
    tags: tuple[HistoryTag, ...] = field(default=(), metadata=tables("tag"))

    def faults(self) -> Iterator[Fault]:
        """Return what the layout needs and the table lacks."""
        needed = {
            "long": ("time", "name", "value"),
            "wide": ("time",),
            "records": ("kind",),
        }[self.layout]
        for name in needed:
            if getattr(self, name) is None:
                yield Fault((), f'layout = "{self.layout}" needs "{name}"')
        if self.layout == "wide" and not self.tags:
            yield Fault((), 'layout = "wide" needs a [[file.tag]] for each column')
        if self.kind is not None:
            for message in unfit_columns(self.kind, self.columns or {}):
                yield Fault(("columns",), message)
