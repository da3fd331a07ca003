"""`millpond pool night`."""

import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

import store
from deploy.commands.common import DatabaseOption, JsonOption, database_url, print_json
from deploy.errors import DeployError

if TYPE_CHECKING:
    from api.pool.night import Night


def night(
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Judge as on this day at 01:30; by default now."),
    ] = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Judge every membership by the rules of the night; exits with 1 where a factory failed.

    Rules that hold become warnings or proposals, and those whose cause is gone end. The same day
    again changes nothing.

    Example: `millpond pool night`
    """
    from api.pool import nightly, workdays  # slow to import

    now = datetime.now(UTC)
    if as_of is not None:
        day = as_of.date()
        if day > workdays.today(now):
            raise typer.BadParameter(f"{day} has not come yet: what it would warn of is not known")
        now = min(now, datetime.combine(day, nightly.AT, workdays.ZONE))
    with closing(store.connect(database_url(database))) as conn:
        found = nightly.once(conn, now, progress=_progress)
    if found is None:
        raise DeployError("another run of the night is at work; wait until it has ended")
    if as_json:
        print_json(found)
    else:
        _show(found)
    raise typer.Exit(1 if found.failures else 0)


def _progress(factories: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{factories:,} factories", end="", file=sys.stderr, flush=True)


def _show(found: "Night") -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(", ".join(f"{count:,} {name}" for name, count in found.counts().items()))
    for factory, why in found.failures.items():
        print(f"{factory}: {why}")
