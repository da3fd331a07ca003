"""Writing gateway files: what `init` and `browse` put into a new one, which `check` accepts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from collectors.config.fields import SourceTable
from collectors.proposal import Proposal, ProposedTag

_NOT_KEYS = ("tags", "records")


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


def source_toml(
    source: SourceTable, proposals: Sequence[Proposal] = (), more: Sequence[str] = ()
) -> str:
    """Return a source with the keys that differ from their defaults, and its proposed tags."""
    lines = ["[[source]]"]
    for spec in fields(source):
        value = getattr(source, spec.name)
        if spec.name not in _NOT_KEYS and (spec.default is MISSING or value != spec.default):
            lines.append(f"{spec.name} = {toml_value(value)}")
    lines += more
    for each in proposals:
        lines += ["", *_asset_comment(each)]
        for tag in each.tags:
            lines += _tag_lines(tag)
    return "\n".join(lines) + "\n"


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


def _asset_comment(proposal: Proposal) -> list[str]:
    asset = proposal.asset
    known = (asset.manufacturer, asset.model, asset.serial, *asset.specifications)
    told = ", ".join(part for part in known if part)
    comments = [f"{asset.path or asset.name}{f': {told}' if told else ''}"]
    comments += [f"{asset.code} {note}" for note in proposal.notes]
    return [f"  # {_one_line(text)}" for text in comments]


def _tag_lines(tag: ProposedTag) -> list[str]:
    seen = f"{tag.role}, was {tag.seen}" if tag.seen else tag.role
    lines = [f"  # {_one_line(f'{seen}; {tag.about}' if tag.about else seen)}", "  [[source.tag]]"]
    lines.append(f"  tag = {toml_value(tag.tag)}")
    if tag.unit != "1":
        lines.append(f"  unit = {toml_value(tag.unit)}")
    lines += [f"  {key} = {toml_value(value)}" for key, value in tag.keys.items()]
    return lines


def _one_line(text: str) -> str:
    """Return a text that can stand in a comment: a server may send what it likes."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
