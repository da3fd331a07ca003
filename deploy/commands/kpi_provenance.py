"""`millpond kpi explain`, `audit` and `diff`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress

import store
import store.figures
from deploy.commands.common import DatabaseOption, JsonOption, console, database_url, print_json
from deploy.commands.output import folding
from store import registry

if TYPE_CHECKING:
    from kpi.provenance import Audit, Difference, Explanation

FigureWords = Annotated[
    list[str],
    typer.Argument(metavar="FIGURE", help="Number of a figure, or FACTORY KPI PERIOD."),
]
_TIME = "%Y-%m-%d %H:%M:%S %Z"
_MOST_LISTED = 20


def explain(
    figure: FigureWords, as_json: JsonOption = False, database: DatabaseOption = None
) -> None:
    """Walk a figure down to its hour facts, batches, records and the key of the gateway.

    Example: `millpond kpi explain DEMO-FIBRE oee 2026-03`
    """
    from kpi import provenance  # slow to import

    with closing(store.connect(database_url(database))) as conn:
        found = provenance.explain(conn, _numbers(conn, figure, 1)[-1])
    if as_json:
        from kpi.reasons import published

        print_json(published(asdict(found)))
    else:
        _print_explanation(found)


def audit(
    figure: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FIGURE]", help="Number of a figure, or FACTORY KPI PERIOD."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All figures, facts and batches.")] = False,
    factory: Annotated[str | None, typer.Option(help="With --all: only this factory.")] = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Work everything out again from the raw rows and say what differs; exits with 1 if any does.

    Verified are the hash, the chain and the signature of each batch, the hour facts, the figures.

    Example: `millpond kpi audit --all --factory DEMO-FIBRE`
    """
    if every == bool(figure) or (factory is not None and not every):
        raise typer.BadParameter("give a figure, or --all, which may have --factory")
    from kpi import provenance  # slow to import

    now = datetime.now(UTC)
    with closing(store.connect(database_url(database))) as conn, _telling() as tell:
        if figure:
            audits = [provenance.audit_figure(conn, _numbers(conn, figure, 1)[-1], now, tell)]
        else:
            chosen = [f for f in registry.factories(conn) if factory in (None, f.code)]
            if factory is not None:
                registry.factory_by_code(conn, factory)
            audits = [provenance.audit_factory(conn, each, now, tell) for each in chosen]
    if as_json:
        print_json([asdict(each) | {"holds": each.holds} for each in audits])
    else:
        for each in audits:
            _print_audit(each)
    raise typer.Exit(0 if all(each.holds for each in audits) else 1)


def diff(
    figures: Annotated[
        list[str],
        typer.Argument(
            metavar="FIGURES", help="Two numbers, or FACTORY KPI PERIOD for its last revisions."
        ),
    ],
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Say what changed between two figures of one KPI and why: inputs, batches, records.

    Example: `millpond kpi diff DEMO-FIBRE oee 2026-03`
    """
    from kpi import provenance  # slow to import

    with closing(store.connect(database_url(database))) as conn:
        numbers = [_number(each) for each in figures] if len(figures) == 2 else None
        first, second = numbers or _numbers(conn, figures, 2)
        found = provenance.differences(conn, first, second)
    if as_json:
        from kpi.reasons import published

        print_json(published(asdict(found)))
    else:
        _print_difference(found)


def _numbers(conn: store.Connection, words: Sequence[str], count: int) -> list[int]:
    """Return the number of a figure, or those of the last revisions of FACTORY KPI PERIOD."""
    if len(words) == 1 and count == 1:
        return [_number(words[0])]
    if len(words) != 3:
        raise typer.BadParameter("give the number of a figure, or FACTORY KPI PERIOD")
    from kpi.provenance.basis import period  # slow to import

    code, kpi, text = words
    factory = registry.factory_by_code(conn, code)
    kind, start, _ = period(text)
    found = store.figures.revisions(conn, factory.factory_id, kpi, kind, start)
    if len(found) < count:
        few = "no figure" if not found else "only one revision of its figure"
        raise typer.BadParameter(
            f"{code} has {few} {kpi} {text}; `millpond kpi figures --factory {code}` lists them"
        )
    return [each.figure_id for each in found[-count:]]


def _number(word: str) -> int:
    if not word.isdecimal():
        raise typer.BadParameter(f"{word!r} is no number of a figure; or give FACTORY KPI PERIOD")
    return int(word)


@contextmanager
def _telling() -> Iterator[Callable[[str, int, int], Any]]:
    """Show progress on a terminal, and nothing in a file or a pipe."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=of)
            progress.update(tasks[what], completed=done, total=of)

        yield tell


def _print_explanation(found: "Explanation") -> None:
    from kpi.reasons import said, worded

    print(f"figure {found.figure_id}: {found.factory} {found.kpi} {found.period}")
    print(f"  revision {found.revision}, formed {found.computed_at:{_TIME}}")
    print(f"  method {found.method_version}, coefficients {found.coefficient_version}")
    if found.point is None:
        print(f"  no number: {said(found.reason, 'en')}")
    else:
        unit = "" if found.unit == "1" else f" {found.unit}"
        print(f"  {found.point:.6g}{unit}, from {found.low:.6g} to {found.high:.6g}")
    print(f"  coverage {found.coverage:.1%}, grade {found.grade}")
    print(f"inputs, sha256 {found.inputs_sha256}")
    for name, value in _lines(worded(found.inputs, "en")):
        print(f"  {name} = {value}")
    for facts in found.facts:
        print(
            f"hour facts of {facts.asset} {facts.name_zh}: {facts.hours} hours, {facts.rows} rows"
        )
        print("  " + ", ".join(f"{name} {total:.10g}" for name, total in facts.sums.items()))
        for hour in facts.worst_hours:
            lost = f"{hour.unknown_s:.0f} s unknown, {hour.uncounted_s:.0f} s uncounted"
            print(f"  worst hour {hour.hour:{_TIME}}: {lost}")
    if found.rows_from is not None:
        print(
            f"rows before {found.rows_from:{_TIME}} are no longer kept: the figure is final, its "
            "facts are held by a seal, and batches of that time by the ledger alone"
        )
    _print_batches(found)
    for record in found.records[:_MOST_LISTED]:
        source = f"batch {record.seq} of {record.gateway}"
        print(f"record {record.kind} {record.key} version {record.version}, {source}")
    if found.record_count > _MOST_LISTED:
        print(f"and {found.record_count - _MOST_LISTED} more records; --json lists more")


def _lines(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield what an input holds, one value a line, by dotted name; rows of a list by number."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _lines(each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for number, each in enumerate(value, 1):
            yield from _lines(each, f"{name}.{number}")
    elif isinstance(value, list):
        yield name, ", ".join(map(_shown, value)) or "none"
    else:
        yield name, _shown(value)


def _print_batches(found: "Explanation") -> None:
    table = folding("gateway", "seq", "rows", "records", "sha256", "signature", "received")
    for batch in found.batches[:_MOST_LISTED]:
        table.add_row(
            *(batch.gateway, str(batch.seq), f"{batch.rows:,}", f"{batch.records:,}"),
            *(batch.sha256[:16], "ok" if batch.signature_ok else "WRONG"),
            f"{batch.received_at:{_TIME}}",
        )
    console.print(table)
    if found.batch_count > _MOST_LISTED:
        print(f"and {found.batch_count - _MOST_LISTED} more batches; --json lists more")
    for gateway in found.gateways:
        enrolled = "at a time that nobody noted"
        if gateway.enrolled_at is not None:
            enrolled = f"{gateway.enrolled_at:{_TIME}} by {gateway.enrolled_by}"
        print(f"gateway {gateway.gateway}: key {gateway.key_fingerprint}, enrolled {enrolled}")


def _print_audit(found: "Audit") -> None:
    for problem in found.problems:
        print(problem.said)
    for note in found.notes:
        print(f"note: {note}")
    seen = (
        f"{found.batches} batches with {found.rows} rows, {found.hours} hour facts, "
        f"{found.figures} figures"
    )
    verdict = "all as it was" if found.holds else f"{len(found.problems)} problems"
    print(f"{found.factory}: {seen}: {verdict}")


def _print_difference(found: "Difference") -> None:
    print(found.before)
    print(found.after)
    table = folding("what", "before", "after")
    for change in found.changes:
        table.add_row(change.what, *(_shown(each) for each in (change.before, change.after)))
    console.print(table)
    for arrival in found.arrivals[:_MOST_LISTED]:
        batch = f"batch {arrival.seq} of {arrival.gateway}"
        print(f"arrived {arrival.received_at:{_TIME}}: {batch}, {arrival.rows} rows")
    for record in found.records[:_MOST_LISTED]:
        versions = " to ".join(_shown(each) for each in (record.before, record.after))
        source = f"batch {record.seq} of {record.gateway}"
        print(f"record {record.kind} {record.key}: version {versions}, {source}")
    for why in found.why:
        print(f"why: {why}")


def _shown(value: Any) -> str:
    from kpi.reasons import worded

    if value is None:
        return "none"
    return f"{value:.12g}" if isinstance(value, float) else str(worded(value, "en"))
