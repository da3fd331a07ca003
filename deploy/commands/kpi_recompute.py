"""`millpond kpi recompute`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

import store
from deploy.commands.common import DatabaseOption, console, database_url
from store import registry

if TYPE_CHECKING:
    from concurrent.futures import Executor


def recompute(
    factory: Annotated[
        list[str] | None, typer.Option(help="Code of a factory; repeatable.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All factories.")] = False,
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="Local day; the baseline's first."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Local day, not included; now."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes of this machine; one a processor.", min=1)
    ] = None,
    dask: Annotated[
        str | None, typer.Option(help="Dask scheduler whose workers do it: tcp://HOST:8786.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Only finish what an earlier call left undone.")
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """Compute facts and figures again from the raw rows of a range; the same rows give the same.

    What an interruption leaves undone is done by --resume, or by the schedule. Dask workers need
    Millpond installed and are sent the database's URL.

    Example: `millpond kpi recompute --factory DEMO-FIBRE --from 2026-01-01 --to 2026-02-01`
    """
    if every == bool(factory):
        raise typer.BadParameter("give either --factory, which may be repeated, or --all")
    if workers is not None and dask is not None:
        raise typer.BadParameter("--workers is for this machine; --dask has workers of its own")
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter("--from is not before --to")
    url, now = database_url(database), datetime.now(UTC)
    from kpi import jobs  # slow to import

    with closing(store.connect(url)) as conn:
        chosen = _chosen(conn, factory)
        if not resume:
            first, last = (day.date() if day else None for day in (start, end))
            jobs.mark_range(conn, chosen, first, last, now)
    with _crew(workers, dask) as pool, _shown() as progress:
        assets = jobs.recompute_marked(url, chosen, now, pool, progress)
        formed = jobs.run_figures(url, now, pool, progress)
    print(f"{assets} assets and {formed} factories computed again")


def _chosen(conn: store.Connection, codes: list[str] | None) -> list[registry.Factory]:
    if codes is None:
        return registry.factories(conn)
    return [registry.factory_by_code(conn, code) for code in dict.fromkeys(codes)]


def _crew(workers: int | None, dask: str | None) -> "AbstractContextManager[Executor]":
    from kpi.jobs.crew import dask_crew, local_crew  # slow to import

    return dask_crew(dask) if dask else local_crew(workers)


@contextmanager
def _shown() -> Iterator[Callable[[str, int, int], None]]:
    """Show how far each job has come."""
    with Progress(console=console, transient=True) as bar:
        tasks = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell
