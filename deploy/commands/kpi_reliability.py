"""`millpond kpi reliability`."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer
from rich.table import Table

import store
from deploy.commands.common import DatabaseOption, FactoryOption, database_url
from deploy.commands.output import CsvOption, FormatOption, JsonOption, Shown, folding, show
from deploy.commands.periods import FromOption, PeriodOption, ToOption, chosen
from store import registry

if TYPE_CHECKING:
    from kpi.jobs.reliability import OfMachine


def reliability(
    factory: FactoryOption,
    period: PeriodOption = None,
    start: FromOption = None,
    end: ToOption = None,
    form: FormatOption = "table",
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    database: DatabaseOption = None,
) -> None:
    """Print MTBF and MTTR of each machine and of all, from the states they sent.

    A failure is an unbroken stop of at least five minutes of planned busy time.

    Example: `millpond kpi reliability --factory DEMO-FIBRE --period 2026-03`
    """
    from kpi.jobs import last_full_hour
    from kpi.jobs.reliability import reliabilities
    from kpi.reasons import published, stored

    window = chosen(period, start, end)
    if window is None:
        raise typer.BadParameter("name the days: --period, or --from and --to")
    with store.connect(database_url(database)) as conn:
        found_factory = registry.factory_by_code(conn, factory)
        until = last_full_hour(datetime.now(UTC))
        found = reliabilities(conn, found_factory, window.start, window.end, until)
    whole = {
        "factory": factory,
        "start": window.start,
        "end": window.end,
        "machines": [published(stored(asdict(each))) for each in found],
    }
    show(Shown(_table(found), [_row(each) for each in found], whole), form, as_json, as_csv)


def _row(each: "OfMachine") -> dict[str, object]:
    from kpi.reasons import published, stored

    found = published(stored(asdict(each.found)))
    return {"machine": each.machine, "known": each.known, **found}


def _table(found: "list[OfMachine]") -> Table:
    from api.formats import number, percent

    def hours(seconds: float | None, reason: str | None) -> str:
        return reason or number(None if seconds is None else seconds / 3600, 2)

    table = folding("machine", "state known", "run time [h]", "failures", "MTBF [h]", "MTTR [h]")
    for each in found:
        table.add_row(
            each.machine or "all",
            percent(each.known, 1),
            number(each.found.run_s / 3600, 1),
            f"{each.found.failures:,}",
            hours(each.found.mtbf_s, each.found.mtbf_reason),
            hours(each.found.mttr_s, each.found.mttr_reason),
        )
    return table
