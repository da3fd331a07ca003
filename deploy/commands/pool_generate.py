"""`millpond pool generate`."""

import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer

import store
from deploy.commands.common import DatabaseOption, JsonOption, database_url, print_json

MOST_FACTORIES = 5_000


def generate(
    factories: Annotated[
        int, typer.Option(help="How many factories.", min=1, max=MOST_FACTORIES)
    ] = 1_000,
    months: Annotated[
        int, typer.Option(help="Months of figures since the renovation.", min=1, max=120)
    ] = 36,
    seed: Annotated[int, typer.Option(help="The same seed makes the same city.", min=0)] = 1,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Fill a database with a sample city, to look at a full pool; never one that a bureau uses.

    The factories are 示例企业0001 and so on, in all counties, with memberships, promises, figures,
    verdicts, reports, findings and the facts of the last weeks.

    Example: `millpond pool generate --factories 100 --months 24 --seed 7`
    """
    from deploy.demo import sample_city  # slow to import

    begin_s = time.monotonic()

    def progress(what: str, count: int) -> None:
        if not as_json:
            print(f"{time.monotonic() - begin_s:6.1f} s  {count:,} {what}", flush=True)

    with closing(store.connect(database_url(database))) as conn:
        made = sample_city.generate(
            conn, factories=factories, months=months, seed=seed, now=datetime.now(UTC),
            progress=progress,
        )  # fmt: skip
    if as_json:
        print_json(made)
    else:
        print(
            f"{made.factories:,} factories, {made.figures:,} figures, {made.verdicts:,} verdicts, "
            f"{made.reports:,} reports, {made.findings:,} findings, {made.facts:,} hour facts"
        )
