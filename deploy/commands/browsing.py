"""`millpond collector browse`: what an OPC UA server has, and a gateway file made of it."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from collectors.config import file as config
from collectors.config.tables import Findings, read_table
from collectors.context import Context
from collectors.errors import CollectorError, ConfigRefused
from collectors.opcua.settings import OpcuaSource
from collectors.proposal import Proposal, plan_part
from collectors.starting_file import NewGateway, gateway_toml, source_toml
from deploy.commands.common import console

if TYPE_CHECKING:
    from collectors.opcua.address_space import AddressSpace, Node
    from collectors.opcua.browse import Limits

SCHEME = "opc.tcp://"
DATABASE_SINK = {"kind": "timescale", "url_env": "MILLPOND_DATABASE_URL"}
_TIMEOUT_S = 10.0


def source_of_url(url: str, name: str, keys: Mapping[str, Any]) -> OpcuaSource:
    """Return the source that options describe, judged like a gateway file's; asks the server
    what it offers where no security is named, and says so.
    """
    given = {key: value for key, value in keys.items() if value not in (None, False)}
    if "security" not in given:
        from collectors.opcua.look import offers  # the protocol is slow to import

        offered = asyncio.run(offers(url, _TIMEOUT_S))
        raise CollectorError(
            f"say how to connect, with --security: {url} offers {', '.join(offered)}"
        )
    findings = Findings(Path("options"), {})
    raw = {"name": name, "kind": "opcua", "url": url, **given}
    source = read_table(OpcuaSource, raw, ("source",), findings)
    if source is not None:
        for fault in source.faults():
            findings.add(("source",), fault.message)
    if source is None or findings.problems:
        raise ConfigRefused(findings.problems)
    return source


def source_of_file(path: Path, name: str | None) -> tuple[OpcuaSource, Context]:
    """Return an OPC UA source of a gateway file, the only one where none is named."""
    settings = config.load(path)
    sources = {one.name: one for one in settings.sources if isinstance(one, OpcuaSource)}
    if name is None and len(sources) == 1:
        name = next(iter(sources))
    if name is None or name not in sources:
        known = ", ".join(sources) or "none"
        raise CollectorError(f"name an OPC UA source of {path} with --source; it has: {known}")
    return sources[name], settings.context(probing=True)


def context_for(file: Path | None) -> Context:
    """Return surroundings for a source of no file: those of the file to be written, if any."""
    folder = file.absolute().parent if file is not None else Path.cwd()
    return Context(ZoneInfo("UTC"), folder, folder / "spool.db.state", probing=file is None)


def look(source: OpcuaSource, context: Context, limits: "Limits") -> "AddressSpace":
    """Walk through the server while a line on standard error counts the nodes."""
    from collectors.opcua.look import look as look_at

    with Console(stderr=True).status(f"looking at {source.url}") as line:
        return asyncio.run(
            look_at(source, context, limits, lambda nodes: line.update(f"{nodes:,} nodes"))
        )


# --- showing -------------------------------------------------------------------------------------


def show(space: "AddressSpace", pattern: str | None, proposals: Iterable[Proposal]) -> None:
    """Print the tree, or what matches, then the machines that were recognised."""
    console.print(_tree(space) if pattern is None else _matches(space, pattern))
    for each in proposals:
        console.print(_proposal(each))
    if not space.is_complete:
        console.print("a limit ended this: raise --depth or --nodes to see more")
    if space.unread:
        console.print(f"{len(space.unread)} nodes were not shown to this user")


def as_data(space: "AddressSpace", pattern: str | None, found: list[Proposal]) -> dict[str, Any]:
    """Return all of it as plain data."""
    nodes = space.matching(pattern) if pattern is not None else space.nodes.values()
    return {
        "is_complete": space.is_complete,
        "nodes": [asdict(node) | {"path": list(space.path(node))} for node in nodes],
        "proposals": found,
    }


def _tree(space: "AddressSpace") -> Tree:
    from collectors.opcua.address_space import OBJECTS

    root = Tree("Objects")
    branches = {OBJECTS: root}
    for node in space.nodes.values():
        # Nodes come nearest first, so the branch of the parent is there already.
        branch = branches.get(node.parent or OBJECTS)
        if branch is not None:
            branches[node.address] = branch.add(_label(node))
    return root


def _label(node: "Node") -> str:
    name = escape(node.name.text)
    if not node.is_variable:
        return f"[bold]{name}[/bold]"
    value = "-" if node.value is None else escape(node.value)
    unit = f" {escape(node.unit)}" if node.unit else ""
    told = "" if node.status == "Good" else f" {node.status}"
    return f"{name} = {value}{unit}  [dim]{escape(node.data_type)} {node.access}{told}[/dim]"


def _matches(space: "AddressSpace", pattern: str) -> Table:
    table = Table("path", "value", "unit", "type", "access", "node")
    for node in space.matching(pattern):
        cells = ("/".join(space.path(node)), node.value or "-", node.unit, node.data_type)
        table.add_row(*map(escape, (*cells, node.access, node.address)))
    return table


def _proposal(proposal: Proposal) -> Table:
    asset = proposal.asset
    told = " · ".join(part for part in (asset.manufacturer, asset.model, asset.serial) if part)
    title = " · ".join(part for part in (asset.name, told, ", ".join(asset.specifications)) if part)
    table = Table("tag", "role", "unit", "states", "now", title=escape(title), title_justify="left")
    for tag in proposal.tags:
        row = (tag.tag, tag.role, tag.unit, tag.scheme or "", tag.seen or "-")
        table.add_row(*map(escape, row))
    table.caption = escape("; ".join(proposal.notes)) or None
    return table


# --- writing -------------------------------------------------------------------------------------


def write_gateway(
    path: Path, source: OpcuaSource, proposals: list[Proposal], *, force: bool
) -> None:
    """Write a starting gateway file; refuses to overwrite one, or to write one without tags."""
    if not any(each.tags for each in proposals):
        raise CollectorError(
            "no machine of a known specification was found, so there is nothing to write: "
            "choose nodes with --match, such as --match '**/Temperature'"
        )
    gateway = NewGateway(f"gw-{source.name}", "Asia/Shanghai", DATABASE_SINK)
    write_new(path, gateway_toml(gateway, [source_toml(source, proposals)]), force=force)


def write_plan(path: Path, proposals: list[Proposal], *, force: bool) -> None:
    """Write the assets and state maps that a monitoring plan takes over."""
    text = json.dumps(plan_part(proposals), ensure_ascii=False, indent=2)
    write_new(path, f"{text}\n", force=force)


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a text file that is not there yet; raises CollectorError where it is."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CollectorError(
            f"{path} is there already: name another file, or add --force"
        ) from None
