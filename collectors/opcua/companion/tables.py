"""The tables of what the companion specifications define: namespaces, types, and what to read."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from collectors.opcua.address_space import Name

_FOLDER = Path(__file__).parent
BY_UNIT = "by unit"
FROM_SERVER = "eu"


@dataclass(frozen=True, slots=True)
class Rule:
    """Below each object of a type, the variable at a path becomes a tag.

    path holds browse names; "*" and "**" stand for one and any number of them. In tag, {owner} is
    the object's name and {name} the variable's. unit "eu" is what the server says; member is the
    number inside a structure.
    """

    type: str
    path: tuple[Name | str, ...]
    tag: str
    role: str
    unit: str
    states: str | None
    member: str | None
    about: str


@cache
def namespaces() -> dict[str, str]:
    """Return the URIs of the namespaces by the prefixes that the tables use."""
    return {row["prefix"]: row["uri"] for row in _rows("namespaces.csv")}


@cache
def specifications() -> dict[str, str]:
    """Return the names of the specifications by their namespace URIs."""
    return {row["uri"]: row["specification"] for row in _rows("namespaces.csv")}


@cache
def types() -> dict[str, str]:
    """Return the addresses of types, as a gateway file writes nodes, by prefix:BrowseName."""
    return {
        row["type"]: node(row["type"].partition(":")[0], row["identifier"])
        for row in _rows("types.csv")
    }


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules in order: of several that find the one state, the first one counts."""
    return tuple(
        Rule(
            types()[row["type"]],
            tuple(_path_part(part) for part in row["path"].split("/")),
            row["tag"],
            row["role"],
            row["unit"],
            row["states"] or None,
            row["member"] or None,
            row["about"],
        )
        for row in _rows("rules.csv")
    )


def node(prefix: str, identifier: str) -> str:
    """Return the address of a numbered node of a specification."""
    return f"nsu={namespaces()[prefix]};i={identifier}"


def markdown() -> str:
    """Return the rules as the table that stands in the document."""
    lines = ["| found | tag | role | unit | states |", "|---|---|---|---|---|"]
    for row in _rows("rules.csv"):
        where = f"`{row['type']}` / `{row['path']}`"
        unit = "of the server" if row["unit"] == FROM_SERVER else row["unit"]
        scheme = f"`{row['states']}`" if row["states"] else ""
        lines.append(
            f"| {where}: {row['about']} | `{row['tag']}` | {row['role']} | {unit} | {scheme} |"
        )
    return "\n".join(lines)


def _path_part(text: str) -> Name | str:
    if text in ("*", "**"):
        return text
    prefix, separator, name = text.rpartition(":")
    return Name(namespaces()[prefix] if separator else "", name)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
