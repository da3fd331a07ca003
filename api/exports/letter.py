"""Texts of letters: files with placeholders, ours or a bureau's own that replaces one.

Points and headings are numbered as they come. A block may stand under `when`, the name of a fact
without which it is left out. Tables and pictures are named. Nothing in a text can reach beyond the
facts that it names.
"""

import hashlib
import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from api.exports.model import Block, Content, Heading, Paragraph
from api.pool.errors import BadText

# Every fact that a text may name.
FACTS = frozenset(
    {
        "enterprise", "factory", "county", "today", "entered_on", "state", "step", "step_on",
        "comment", "deadline", "deadline_note", "hearing_term", "reentry", "grounds",
        "site_check_on", "site_check_people", "site_check_result", "grade", "heard", "period",
        "judged", "summary", "unverifiable", "findings", "evidence", "method", "pool",
    }
)  # fmt: skip
_FIELDS = {"version", "title", "subtitle", "number", "addressee", "issuer", "block"}
_NEEDED = ("version", "title", "issuer", "block")
_KINDS_OF_BLOCK = ("text", "point", "heading", "insert")
_NUMERALS = "一二三四五六七八九十"
_MOST_NUMBERED = len(_NUMERALS)
# Tables and pictures that a text may put in.
INSERTS = frozenset(
    {
        "warnings", "basics", "values", "verdicts", "fulfilment_picture", "month_pictures",
        "reasons", "findings", "evidence", "versions",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A block of a text: a paragraph, a numbered point or heading, or what is put in by name."""

    what: str
    text: str
    when: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """One version of a letter's text; the id follows what it says."""

    template_id: str
    title: str
    subtitle: str
    number: str
    addressee: str
    issuer: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text may name: words, empty where there are none, and what is put in."""

    words: Mapping[str, str]
    inserts: Mapping[str, Sequence[Block]]
    dated: date


@cache
def shipped(kind: str) -> Letter:
    """Return the text that came with this version."""
    return read(shipped_text(kind))


def shipped_text(kind: str) -> str:
    """Return the text that came with this version as it is written."""
    folder = files("api").joinpath("templates", "letters")
    return folder.joinpath(f"{kind}.toml").read_text(encoding="utf-8")


def read(text: str) -> Letter:
    """Read a letter's text; raises BadText with what is wrong in it."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadText("no_toml", error=error) from error
    if unknown := sorted(found.keys() - _FIELDS):
        raise BadText("no_letter_key", key=unknown[0], known=", ".join(sorted(_FIELDS)))
    if missing := [name for name in _NEEDED if not found.get(name)]:
        raise BadText("letter_lacks", key=missing[0])
    for name in _FIELDS - {"block"}:
        _check_text(name, found.get(name, ""))
    if not isinstance(found["block"], list):
        raise BadText("no_blocks")
    parts = tuple(_part(number, each) for number, each in enumerate(found["block"], 1))
    if sum(each.what in ("point", "heading") for each in parts) > _MOST_NUMBERED:
        raise BadText("many_points", most=_MOST_NUMBERED)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Letter(
        template_id=f"{found['version']}-{digest}",
        title=found["title"],
        subtitle=found.get("subtitle", ""),
        number=found.get("number", ""),
        addressee=found.get("addressee", ""),
        issuer=found["issuer"],
        parts=parts,
    )


def _part(number: int, given: Any) -> Part:
    place = f"block {number}"
    what = [name for name in _KINDS_OF_BLOCK if name in given] if isinstance(given, dict) else []
    if len(what) != 1 or given.keys() - {what[0], "when"}:
        raise BadText("odd_block", place=place, known=", ".join(_KINDS_OF_BLOCK))
    text, when = given[what[0]], given.get("when")
    _check_text(place, text)
    if what[0] == "insert" and text not in INSERTS:
        raise BadText("no_insert", place=place, name=text, known=", ".join(sorted(INSERTS)))
    if when is not None and when not in FACTS | INSERTS:
        raise BadText("no_condition", place=place, name=when)
    return Part(what[0], text, when)


def _check_text(place: str, text: Any) -> None:
    if not isinstance(text, str):
        raise BadText("no_text", place=place)
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise BadText("brace", place=place, error=error) from error
    for _, name, form, conversion in parsed:
        if name is not None and (name not in FACTS or form or conversion):
            known = ", ".join(sorted(FACTS))
            raise BadText("no_fact", place=place, name=name, known=known)


def written(kind: str, letter: Letter, facts: Facts, number: str) -> Content:
    """Fill a letter's text with facts; number is what the office gave it, if it did."""
    blocks: list[Block] = []
    numerals = iter(_NUMERALS)
    for part in letter.parts:
        if part.when and not (facts.words.get(part.when) or facts.inserts.get(part.when)):
            continue
        if part.what == "insert":
            blocks += facts.inserts.get(part.text, ())
        else:
            text = part.text.format_map(facts.words)
            if part.what in ("point", "heading"):
                text = f"{next(numerals)}、{text}"
            blocks.append(Heading(text) if part.what == "heading" else Paragraph(text))
    return Content(
        kind=kind,
        title=letter.title.format_map(facts.words),
        subtitle=letter.subtitle.format_map(facts.words),
        number=number or letter.number.format_map(facts.words),
        addressee=letter.addressee.format_map(facts.words),
        blocks=tuple(blocks),
        issuer=letter.issuer.format_map(facts.words),
        dated=facts.dated,
    )
