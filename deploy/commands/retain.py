"""`millpond db retain`."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer

import store
from collectors.identity import who
from deploy.commands.common import DatabaseOption, database_url
from store.acting import Actor

# Less would touch the months that years of today still rest on.
_LEAST_DAYS = 800


def retain(
    keep_days: Annotated[
        int, typer.Option(help="Days whose raw rows stay.", min=_LEAST_DAYS, max=36_600)
    ] = 1830,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and drop nothing.")
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """Drop raw rows that are older, after everything was worked out from them once more.

    What was formed of them is final then: facts and figures of those days are never formed again,
    late data for them change nothing, and an audit compares the facts with a seal. The ledger of
    batches stays whole. Where anything does not hold, or waits, nothing is dropped.

    Example: `millpond db retain --keep-days 1830 --dry-run`
    """
    from kpi import retention  # slow to import

    now = datetime.now(UTC)
    with closing(store.connect(database_url(database))) as conn:
        what = retention.cut(conn, keep_days, now)
        if what is None:
            print(f"nothing is older than {keep_days} days in whole: rows are kept in pieces")
            return
        size = sum(each.size_bytes for each in what.chunks)
        said = (
            f"{len(what.chunks)} pieces with rows before {what.rows_from:%Y-%m-%d}, {size:,} bytes;"
            f" facts and figures of days before {what.final_until} are final"
        )
        if dry_run:
            print(f"would drop {said} then")
            return
        retention.retire(conn, what, Actor(None, who(), "operator"), now)
    print(f"dropped {said} from now on")
