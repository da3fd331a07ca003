"""Writing gateway files: what `init` and `browse` put into a new one, which `check` accepts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from collectors.config.fields import SourceTable
from collectors.proposal import Proposal, ProposedTag


@dataclass(frozen=True, slots=True)
class NewGateway:
    """The tables of a new gateway file that are not sources; sink holds the keys of [sink]."""

    id: str
    timezone: str
    sink: Mapping[str, Any]


def gateway_toml(gateway: NewGateway, sources: Iterable[str]) -> str:
    """Return a whole gateway file."""
    head = [
        "# Made by `millpond collector`; `millpond collector check FILE` says what is wrong in it.",
        "",
        "[gateway]",
        f"id = {toml_value(gateway.id)}",
        'key = "gateway.key"  # made on first start',
        f"timezone = {toml_value(gateway.timezone)}",
        "",
        "[spool]",
        'path = "spool.db"  # data wait here until they were taken',
        "",
        "[sink]",
        *(f"{key} = {toml_value(value)}" for key, value in gateway.sink.items()),
    ]
    return "\n".join([*head, "", "\n".join(sources)])


def table_toml(header: str, keys: Mapping[str, Any], comment: str = "") -> str:
    """Return a table such as [[source.tag]], set in as deep as it stands in the file."""
    indent = "  " * header.count(".")
    lines = [f"{indent}# {_one_line(comment)}"] if comment else []
    lines += [f"{indent}{header}"]
    lines += [f"{indent}{key} = {toml_value(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def source_toml(source: SourceTable, proposals: Sequence[Proposal] = ()) -> str:
    """Return a source with the keys that differ from their defaults, and its proposed tags."""
    keys = {
        spec.name: getattr(source, spec.name)
        for spec in fields(source)
        if "table" not in spec.metadata
        and (spec.default is MISSING or getattr(source, spec.name) != spec.default)
    }
    tables = [table_toml("[[source]]", keys)]
    for each in proposals:
        tables.append("".join(f"  # {_one_line(text)}\n" for text in _asset_comments(each)))
        tables += [_tag_toml(tag) for tag in each.tags]
    return "\n".join(tables)


def toml_value(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{toml_value(key)} = {toml_value(one)}" for key, one in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(one) for one in value)}]"
    # A JSON string is a TOML basic string, but for the one control character that JSON lets pass.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _asset_comments(proposal: Proposal) -> list[str]:
    asset = proposal.asset
    known = (asset.manufacturer, asset.model, asset.serial, *asset.specifications)
    told = ", ".join(part for part in known if part)
    comments = [f"{asset.path or asset.name}{f': {told}' if told else ''}"]
    return comments + [f"{asset.code} {note}" for note in proposal.notes]


def _tag_toml(tag: ProposedTag) -> str:
    seen = f"{tag.role}, was {tag.seen}" if tag.seen else tag.role
    unit = {"unit": tag.unit} if tag.unit != "1" else {}
    comment = f"{seen}; {tag.about}" if tag.about else seen
    return table_toml("[[source.tag]]", {"tag": tag.tag, **unit, **tag.keys}, comment)


def _one_line(text: str) -> str:
    """Return a text that can stand in a comment: a server may send what it likes."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
