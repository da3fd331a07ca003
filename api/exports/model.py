"""What a document says, without how it looks: both files are written from this."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Literal

from api.pictures.data import Fulfilment, MonthRun

_ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
# Blanks between a day and Chinese words, which stand without any.
_BESIDE_DAY = re.compile(r"(?<=[\u4e00-\u9fff]) (?=\d+年\d+月)|(?<=\d日) (?=[\u4e00-\u9fff])")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the first level."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph that begins two characters in."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table; widths are shares of the line, align is l, c or r for each column."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    align: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, or two side by side, with what they show in words."""

    caption: str
    drawn: tuple[Fulfilment | MonthRun, ...]
    alt: str


Block = Heading | Paragraph | Table | Picture


@dataclass(frozen=True, slots=True)
class Content:
    """A whole letter or report; number is what the office gave it."""

    kind: str
    title: str
    subtitle: str
    number: str
    addressee: str
    blocks: tuple[Block, ...]
    issuer: str
    dated: date

    def sha256(self) -> str:
        """Return the hash of all that it says, in hex."""
        return hashlib.sha256(
            json.dumps(
                asdict(self), ensure_ascii=False, sort_keys=True, default=date.isoformat
            ).encode()
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class Footer:
    """Who asked for a document, when it was made, which version it is, and its content's hash."""

    who: str
    made_at: datetime
    version: int
    template_id: str
    sha256: str

    def lines(self) -> tuple[str, str]:
        """Return the two lines that stand at the foot of every page."""
        return (
            f"编制：{self.who}　　时间：{self.made_at:%Y-%m-%d %H:%M}　　"
            f"第 {self.version} 版　　模板 {self.template_id}",
            f"内容 SHA-256：{self.sha256}",
        )


Form = Literal["docx", "pdf"]
FORMS: dict[Form, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}


def day(value: date) -> str:
    """Return a day as letters write it."""
    return f"{value.year}年{value.month}月{value.day}日"


def in_chinese(text: str) -> str:
    """Return a text with the days in it as letters write them."""
    said = _ISO_DAY.sub(lambda found: day(date.fromisoformat(found[0])), text)
    return _BESIDE_DAY.sub("", said)


def table(
    caption: str, columns: Sequence[tuple[str, float, str]], rows: Sequence[Sequence[str]]
) -> Table:
    """Build a table from (head, share of the line, alignment) of its columns."""
    return Table(
        caption,
        tuple(head for head, _, _ in columns),
        # A number and its percent sign stay on one line.
        tuple(tuple(text.replace(" %", "\u00a0%") for text in row) for row in rows),
        tuple(width for _, width, _ in columns),
        "".join(align for _, _, align in columns),
    )
