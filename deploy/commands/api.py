"""`millpond api`."""

from contextlib import closing, suppress
from typing import Annotated

import typer

import store
from deploy.commands.common import DatabaseOption, database_url
from deploy.ports import require_free
from deploy.signals import stopped_by_sigterm

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Pages and REST interface."""


@app.command()
def serve(
    database: DatabaseOption = None,
    host: Annotated[str, typer.Option(help="Loopback address; there is no login yet.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535)] = 8321,
    refresh_s: Annotated[int, typer.Option(help="Seconds between two refreshes.", min=5)] = 60,
) -> None:
    """Serve the pages and bring the figures up to date until Ctrl-C or SIGTERM.

    Example: `millpond api serve --port 8321`
    """
    url = database_url(database)
    require_free(port)
    with closing(store.connect(url)):  # a server that is away is told now, in one line
        pass
    from api.server import serve as serve_pages  # slow to import
    from kpi import jobs

    # The server ends in order by itself, and then passes on what stopped it.
    with suppress(KeyboardInterrupt), stopped_by_sigterm(), jobs.scheduled(url, refresh_s):
        serve_pages(url, host, port)
