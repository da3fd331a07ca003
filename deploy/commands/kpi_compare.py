"""`millpond kpi compare`: before, promised, reported and verified of one factory."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table

import store
from deploy.commands.common import DatabaseOption, FactoryOption, database_url
from deploy.commands.kpi_words import amount, covered, named, titled
from deploy.commands.output import CsvOption, FormatOption, JsonOption, Shown, show
from deploy.errors import NothingFormed
from store import registry


def compare(
    factory: FactoryOption,
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d"],
            help="First day of the rolling year; the newest judged one.",
        ),
    ] = None,
    form: FormatOption = "table",
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    database: DatabaseOption = None,
) -> None:
    """Print before, promised, reported and verified of a rolling year, with both verdicts.

    Example: `millpond kpi compare --factory DEMO-FIBRE`
    """
    from api import comparison

    with store.connect(database_url(database)) as conn:
        found_factory = registry.factory_by_code(conn, factory)
        found = comparison.load(conn, found_factory, None if start is None else start.date())
    if found.year is None:
        raise NothingFormed(
            f"factory {factory} has no figure of a rolling year yet: it takes twelve full months "
            "of data, then `millpond kpi refresh`"
        )
    show(_compared_shown(found), form, as_json, as_csv)


def _compared_shown(found: Any) -> Shown:
    from api import comparison
    from kpi.reasons import published, verdict_published

    period = {"period_start": found.year.period_start, "period_end": found.year.period_end}
    covers = [part for row in found.rows for part in covered(row.key_equipment)]
    rows = []
    for row in found.rows:
        words = comparison.fulfilment_word(found, row), comparison.consistency_word(row)
        given = {
            "fulfilment_verdict": words[0],
            "consistency_verdict": words[1],
            "reasons": [verdict_published(each) for each in row.reasons or ()],
        }
        rows.append(published(asdict(row) | given))
    whole = {"factory": found.factory.code, **period, "rows": rows}
    flat = [{"factory": found.factory.code, **period, **row} for row in rows]
    return Shown(Group(_compared_table(found), *covers), flat, whole)


def _compared_table(found: Any) -> Table:
    """Return the comparison with the bounds below each verified value, so that 80 columns do."""
    from api import comparison
    from api.formats import months, percent, signed_percent

    year = months(found.year.period_start, found.year.period_end)
    table = titled(f"{found.factory.name_zh} {year}")
    table.add_column("KPI", overflow="fold")
    for name in ("before", "promised", "reported", "verified"):
        table.add_column(name, justify="right", overflow="fold", min_width=8)
    for name, width in (("", 1), ("kept", 10), ("report", 7)):
        table.add_column(name, overflow="fold", min_width=width)
    for row in found.rows:
        name, unit = named(row.kpi, "")
        values = (row.before_value, row.expected_value, row.reported_value)
        before, promised, reported, point, low, high = (
            amount(row.kpi, value) for value in (*values, row.point, row.low, row.high)
        )
        kept = (comparison.fulfilment_word(found, row) or "", percent(row.fulfilment))
        true = (comparison.consistency_word(row) or "", signed_percent(row.deviation))
        table.add_row(
            f"{name} {unit}",
            "\n".join([before, *([row.before_basis] if row.before_basis else [])]),
            *(promised, reported),
            point if row.point is None else f"{point}\n≥{low}\n≤{high}",
            row.grade or "",
            *("\n".join(each).replace("_", " ") if each[0] else "" for each in (kept, true)),
        )
    return table
