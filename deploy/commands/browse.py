"""`millpond collector browse`: the verb and its options."""

import re
from pathlib import Path
from typing import Annotated

import typer

from collectors.context import Context
from collectors.opcua.settings import OpcuaSource
from deploy.commands import browsing
from deploy.commands.common import JsonOption, print_json

_HELP = "As the key of a gateway file: "


def browse(
    target: Annotated[str, typer.Argument(help="opc.tcp://HOST:PORT, or a gateway file.")],
    source: Annotated[
        str | None, typer.Option(help="Source of the gateway file, or the name of a new one.")
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(help="Only paths such as '**/Temperature': * within a name, ** any depth."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write a gateway file with the tags found.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Write assets and state maps for a monitoring plan.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files.")] = False,
    depth: Annotated[int, typer.Option(min=1, max=64, help="Levels to walk down.")] = 16,
    nodes: Annotated[int, typer.Option(min=1, max=1_000_000, help="Nodes at most.")] = 20_000,
    security: Annotated[str | None, typer.Option(help=f"{_HELP}security.")] = None,
    security_mode: Annotated[str | None, typer.Option(help=f"{_HELP}security_mode.")] = None,
    certificate: Annotated[str | None, typer.Option(help=f"{_HELP}certificate.")] = None,
    private_key: Annotated[str | None, typer.Option(help=f"{_HELP}private_key.")] = None,
    server_certificate: Annotated[
        str | None, typer.Option(help=f"{_HELP}server_certificate.")
    ] = None,
    server_fingerprint: Annotated[
        str | None, typer.Option(help=f"{_HELP}server_fingerprint.")
    ] = None,
    username: Annotated[str | None, typer.Option(help=f"{_HELP}username.")] = None,
    password_env: Annotated[str | None, typer.Option(help=f"{_HELP}password_env.")] = None,
    password_file: Annotated[str | None, typer.Option(help=f"{_HELP}password_file.")] = None,
    allow_plain_password: Annotated[
        bool, typer.Option("--allow-plain-password", help=f"{_HELP}allow_plain_password.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at what an OPC UA server has, and propose tags for the machines that it describes.

    Machines that follow OPC UA for Machinery, Machine Tools, PackML or Robotics are recognised.
    Nothing is written to the server.

    Example: `millpond collector browse opc.tcp://10.0.0.5:4840 --security none --write line1.toml`
    """
    if target.startswith(browsing.SCHEME):
        keys = {
            "security": security,
            "security_mode": security_mode,
            "certificate": certificate,
            "private_key": private_key,
            "server_certificate": server_certificate,
            "server_fingerprint": server_fingerprint,
            "username": username,
            "password_env": password_env,
            "password_file": password_file,
            "allow_plain_password": allow_plain_password,
        }
        found = browsing.source_of_url(target, source or name_of(target), keys)
        context = browsing.context_for(write)
    else:
        found, context = browsing.source_of_file(Path(target), source)
    look_at(found, context, (depth, nodes), match, (write, plan), force=force, as_json=as_json)


def look_at(
    source: OpcuaSource,
    context: Context,
    limits: tuple[int, int],
    match: str | None,
    files: tuple[Path | None, Path | None],
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Walk through a server, print what it has, and write the gateway file and the plan's part."""
    from collectors.opcua.browse import Limits  # the protocol is slow to import
    from collectors.opcua.propose import propose

    space = browsing.look(source, context, Limits(*limits))
    proposals = propose(space, match)
    if as_json:
        print_json(browsing.as_data(space, match, proposals))
    else:
        browsing.show(space, match, proposals)
    gateway_file, plan_file = files
    if gateway_file is not None:
        browsing.write_gateway(gateway_file, source, proposals, force=force)
    if plan_file is not None:
        browsing.write_plan(plan_file, proposals, force=force)


def name_of(url: str) -> str:
    """Return a source's name from the host in its address."""
    host = url.removeprefix(browsing.SCHEME).partition("/")[0].partition(":")[0]
    return re.sub(r"[^0-9A-Za-z]+", "-", host).strip("-") or "opcua"
