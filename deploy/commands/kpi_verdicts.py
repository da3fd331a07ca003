"""`millpond kpi verdicts`, `policies` and `rebase`."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from getpass import getuser
from typing import Annotated, Any

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
from deploy.errors import NothingFormed
from kpi import policy as policy_table
from kpi.reasons import verdict_published, verdict_said
from store import figures, registry, verdict_bases
from store.figures import Verdict


def verdicts(
    factory: FactoryOption,
    past: Annotated[
        bool, typer.Option("--past", help="Also what later verdicts took the place of.")
    ] = False,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Say the newest verdicts of a factory, by which policy, and why a word is missing.

    Example: `millpond kpi verdicts --factory DEMO-FIBRE --past`
    """
    with closing(store.connect(database_url(database))) as conn:
        factory_id = registry.factory_by_code(conn, factory).factory_id
        found = figures.verdicts(conn, factory_id)
        replaced = [
            old
            for each in (found if past else ())
            for old in figures.past_verdicts(conn, factory_id, each.kpi, each.period_start)
        ]
    if as_json:
        print_json({"verdicts": [*map(_whole, found)], "past": [*map(_whole, replaced)]})
        return
    if not found:
        raise NothingFormed(
            f"factory {factory} has no verdict yet: it takes a rolling year since the renovation "
            "and a promise, then `millpond kpi refresh`"
        )
    console.print(_table(found, replaced))


def _whole(verdict: Verdict) -> dict[str, Any]:
    return asdict(verdict) | {"reasons": [verdict_published(each) for each in verdict.reasons]}


def _table(found: Sequence[Verdict], replaced: Sequence[Verdict]) -> Table:
    table = folding("KPI", "year from", "fulfilment", "consistency", "policy", "decided", "why")
    for each in sorted((*found, *replaced), key=lambda one: (one.kpi, one.decided_at)):
        why = "; ".join(f"{one['about']}: {verdict_said(one, 'en')}" for one in each.reasons)
        table.add_row(
            *(each.kpi, f"{each.period_start}", each.fulfilment_verdict, each.consistency_verdict),
            *(each.policy_version, f"{each.decided_at:%Y-%m-%d %H:%M}", why),
        )
    return table


def policies(as_json: JsonOption = False) -> None:
    """List the dated policies that verdicts are given by, with their tolerances and source.

    Example: `millpond kpi policies`
    """
    if as_json:
        print_json([asdict(each) for each in policy_table.policies()])
        return
    for policy in policy_table.policies():
        print(f"{policy.version}  valid from {policy.valid_from}  {policy.source}")
        table = folding("KPI or unit", "tolerance")
        for name, tolerance in policy.by_kpi.items():
            table.add_row(name, _words(tolerance))
        for unit, tolerance in policy.by_unit.items():
            table.add_row(f"unit {unit}", _words(tolerance))
        console.print(table)


def _words(tolerance: policy_table.Tolerance) -> str:
    parts = [f"± {tolerance.absolute:g}"] if tolerance.absolute else []
    parts += [f"± {tolerance.relative:.0%} of it"] if tolerance.relative else []
    return " or ".join(parts) or "exact"


def rebase(
    factory: FactoryOption,
    reason: Annotated[str, typer.Option(help="What was corrected; it is kept.")],
    actor: Annotated[
        str | None, typer.Option("--actor", help="Who does it; by default the account's name.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Let the years of a factory rest on its plan as it is now, after the plan was corrected.

    Example: `millpond kpi rebase --factory DEMO-FIBRE --reason "cycle of M01 had a typing error"`
    """
    if not reason.strip():
        raise typer.BadParameter("say what was corrected", param_hint="--reason")
    with closing(store.connect(database_url(database))) as conn:
        factory_id = registry.factory_by_code(conn, factory).factory_id
        years = verdict_bases.give_up(conn, factory_id, actor or getuser(), reason)
    print(
        f"{len(years)} of the years of {factory} are to rest on the plan as it is now; run "
        f"`millpond kpi recompute --factory {factory}` so that its facts do as well"
    )
