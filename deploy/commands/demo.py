"""`millpond demo`."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

import deploy
from deploy.commands.common import DATABASE_VARIABLE, console


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Compare every figure with the truth, then stop.")
    ] = False,
    lang: Annotated[Literal["zh", "en"], typer.Option(help="Language of what is printed.")] = "zh",
    port: Annotated[
        int, typer.Option(help="Port of the pages; another if it is taken.", min=1, max=65535)
    ] = 8321,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder of the demo's files; by default .local/demo of the checkout."),
    ] = None,
) -> None:
    """Run a sample city of two factories, from simulated plants to verified figures.

    Starts a private TimescaleDB and a private broker under `.local/` of the checkout, loads 24
    months of history, forms the figures, prints them beside the simulator's truth, and keeps
    collecting live until Ctrl-C. Each start begins anew.

    With MILLPOND_DATABASE_URL set, a database `millpond_demo` on that server is made anew instead.

    Example: `millpond demo --check`
    """
    from deploy.demo.city import run  # slow to import, and no other verb needs it

    home = home or Path(deploy.__file__).parents[1] / ".local" / "demo"
    server_url = os.environ.get(DATABASE_VARIABLE) or None
    raise typer.Exit(
        run(home.absolute(), console, check=check, language=lang, server_url=server_url, port=port)
    )
