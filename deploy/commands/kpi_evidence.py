"""`millpond kpi evidence`."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
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
from store import registry
from store.evidence import NewEvidence

_WORDS = {"proven": "proven", "not_proven": "not proven", "not_computable": "not computable"}


def evidence(
    factory: FactoryOption,
    day: Annotated[
        datetime | None,
        typer.Option("--day", formats=["%Y-%m-%d"], help="Last local day; by default yesterday."),
    ] = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Judge each claim of the construction points by the data, store the answers and show them.

    Example: `millpond kpi evidence --factory DEMO-FIBRE`
    """
    from kpi.jobs.annex1_job import collect_evidence  # slow to import

    with closing(store.connect(database_url(database))) as conn:
        found_factory = registry.factory_by_code(conn, factory)
        found = collect_evidence(conn, found_factory, _now(day, found_factory))
    if as_json:
        print_json([_row(each) for each in found])
        return
    console.print(_table(found))
    counts = Counter(_WORDS[each.verdict] for each in found)
    print(", ".join(f"{counts[word]} {word}" for word in _WORDS.values()))


def _now(day: datetime | None, factory: registry.Factory) -> datetime:
    """Return a time of the day after the last one that counts."""
    if day is None:
        return datetime.now(UTC)
    after = (day + timedelta(days=1)).date()
    return datetime.combine(after, time(), tzinfo=ZoneInfo(factory.timezone))


def _row(found: NewEvidence) -> dict[str, Any]:
    from kpi.annex1 import claims, rules  # slow to import
    from kpi.reasons import published

    claim = next(each for each in claims() if each.claim == found.claim)
    rule = rules()[found.method]
    return published(asdict(found)) | {
        "evidence_class": claim.evidence_class,
        "claim_zh": claim.zh,
        "claim_en": claim.en,
        "method_zh": rule.zh,
        "method_en": rule.en,
    }


def _table(found: Sequence[NewEvidence]) -> Table:
    table = folding("claim", "class", "method", "verdict", "until", "numbers or reason")
    for row in map(_row, found):
        table.add_row(
            *(row["claim"], row["evidence_class"], f"{row['method']} {row['method_zh']}"),
            *(_WORDS[row["verdict"]], f"{row['expires_on']}"),
            row["reason_en"] or _said(row["numbers"]),
        )
    return table


def _said(numbers: dict[str, Any]) -> str:
    """Return the plain numbers; what is broken down further stands in the JSON."""
    plain = {name: value for name, value in numbers.items() if not isinstance(value, dict | list)}
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in plain.items()
    )
