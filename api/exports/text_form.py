"""A letter's text as a form holds it, part by part, and back as the TOML that is kept."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.exports.letter import FACTS, INSERTS

FIELDS = ("version", "title", "subtitle", "number", "addressee", "issuer")
KINDS = ("text", "point", "heading", "insert")
CONDITIONS = tuple(sorted(FACTS | INSERTS))
# Empty places at the end of the form for further blocks.
SPARE = 3
MOST_BLOCKS = 60


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the form; one that is nothing (what is empty) is left out."""

    order: int
    what: str
    text: str
    when: str


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a letter's text."""

    fields: Mapping[str, str]
    blocks: tuple[Block, ...]


def form_of(content: str) -> Form:
    """Return the form of a text that letter.read takes."""
    found = tomllib.loads(content)
    blocks = [_block(number, each) for number, each in enumerate(found["block"], 1)]
    return Form({name: str(found.get(name, "")) for name in FIELDS}, _with_spare(blocks))


def form_given(given: Mapping[str, str]) -> Form:
    """Return the form as somebody sent it, its blocks in the order of their numbers."""
    blocks = []
    for number in range(1, MOST_BLOCKS + SPARE + 1):
        if f"what-{number}" in given:
            order = given.get(f"order-{number}", "")
            blocks.append(
                Block(
                    int(order) if order.isdecimal() and len(order) < 6 else 10 * number,
                    given[f"what-{number}"],
                    _one_text(given.get(f"text-{number}", "")),
                    given.get(f"when-{number}", ""),
                )
            )
    fields = {name: given.get(name, "").strip() for name in FIELDS}
    kept = [each for each in blocks if each.what and each.text]
    return Form(fields, _with_spare(sorted(kept, key=lambda each: each.order)))


def content_of(form: Form) -> str:
    """Return the text as TOML; whether it can be used, letter.read says."""
    lines = [f"{name} = {_quoted(text)}" for name, text in form.fields.items() if text]
    for block in form.blocks:
        if not block.what:
            continue
        lines += ["", "[[block]]"]
        if block.when:
            lines.append(f"when = {_quoted(block.when)}")
        lines.append(f"{_bare(block.what)} = {_quoted(block.text)}")
    return "\n".join(lines) + "\n"


def _block(number: int, given: Mapping[str, Any]) -> Block:
    what = next(name for name in KINDS if name in given)
    return Block(10 * number, what, str(given[what]), str(given.get("when", "")))


def _with_spare(blocks: Sequence[Block]) -> tuple[Block, ...]:
    after = len(blocks) + 1
    ordered = [
        Block(10 * number, each.what, each.text, each.when) for number, each in enumerate(blocks, 1)
    ]
    return (*ordered, *(Block(10 * (after + each), "", "", "") for each in range(SPARE)))


def _one_text(given: str) -> str:
    """Return what somebody wrote without the line breaks of a browser: a block is one paragraph."""
    return " ".join(given.split("\n")).replace("\r", "").strip()


def _quoted(text: str) -> str:
    # A string of JSON is one of TOML, but for characters that TOML wants escaped as JSON does.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _bare(what: str) -> str:
    return what if what in KINDS else "unknown"
