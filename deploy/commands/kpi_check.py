"""`millpond kpi check`."""

import csv
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

import store
from deploy.commands.common import (
    DatabaseOption,
    FactoryOption,
    JsonOption,
    console,
    database_url,
    print_json,
)
from deploy.commands.output import folding
from store import findings, registry
from store.findings import Finding

_COLUMNS = (
    "period_start", "rule", "severity", "subject", "measured", "threshold", "unit", "zh", "en",
    "shown_count", "found_at", "cleared_at",
)  # fmt: skip

# What shows a finding, in the order in which a person reads it.
_PLACES = ("record", "key", "gateway", "batch", "asset", "tag", "material")


def check(
    factory: FactoryOption,
    month: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m"], help="Check this month again; by default what changed."),
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule, such as P01.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what passed or does not apply.")
    ] = False,
    cleared: Annotated[bool, typer.Option(help="Also what is gone.")] = False,
    language: Annotated[Literal["zh", "en"], typer.Option(help="Language of sentences.")] = "zh",
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Check the plausibility of a factory's data and say what was found, with what shows it.

    Example: `millpond kpi check --factory DEMO-FIBRE --month 2026-08`
    """
    from kpi.jobs.finding_job import check_factory  # slow to import

    with closing(store.connect(database_url(database))) as conn:
        found_factory = registry.factory_by_code(conn, factory)
        first = None if month is None else month.date()
        check_factory(conn, found_factory, datetime.now(UTC), first)
        listed = findings.listed(
            conn, found_factory.factory_id, month=first, rule=rule, cleared=cleared
        )
    shown = [each for each in listed if everything or each.severity in ("fail", "warn", "review")]
    rows = [_row(each) for each in shown]
    if as_json:
        print_json(rows)
    elif as_csv:
        _print_csv(rows)
    else:
        console.print(_table(shown, language, ZoneInfo(found_factory.timezone)))
        print(_summary(listed))


def _row(finding: Finding) -> dict[str, Any]:
    """Return a finding with its sentence in both languages."""
    from kpi.plausibility import sentence  # slow to import

    return asdict(finding) | {name: sentence(finding, name) for name in ("zh", "en")}


def _print_csv(rows: Sequence[dict[str, Any]]) -> None:
    writer = csv.DictWriter(sys.stdout, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _table(shown: Sequence[Finding], language: str, zone: ZoneInfo) -> Table:
    from kpi.plausibility import sentence  # slow to import

    table = folding("month", "rule", "severity", "finding", "shown by")
    for each in shown:
        state = f"{each.severity}, cleared" if each.cleared_at else each.severity
        table.add_row(
            *(f"{each.period_start:%Y-%m}", each.rule, state, sentence(each, language)),
            _evidence(each, zone),
        )
    return table


def _evidence(finding: Finding, zone: ZoneInfo) -> str:
    """Return the first places that show a finding, and how many there are more."""
    first = [_place(place, zone) for place in finding.shown[:2]]
    more = finding.shown_count - len(first)
    return "\n".join([*first, *([f"and {more} more"] if more > 0 else [])])


def _place(place: Mapping[str, str], zone: ZoneInfo) -> str:
    """Return a span in local time, or a record, batch, asset or tag by its names."""
    if "from" in place:
        times = [datetime.fromisoformat(place[name]).astimezone(zone) for name in ("from", "to")]
        return " .. ".join(f"{each:%Y-%m-%d %H:%M}" for each in times)
    return " ".join(place[name] for name in sorted(place, key=_PLACES.index))


def _summary(listed: Sequence[Finding]) -> str:
    current = [each for each in listed if each.cleared_at is None]
    names = ("fail", "warn", "review", "pass", "not_applicable")
    counts = {name: sum(each.severity == name for each in current) for name in names}
    months = len({each.period_start for each in current})
    said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    return f"{months} months: {said}"
