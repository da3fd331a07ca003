"""`millpond kpi figures`: what was formed of one factory."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Literal

import typer
from rich.console import Group, RenderableType
from rich.text import Text

import store
from deploy.commands.common import DatabaseOption, FactoryOption, database_url
from deploy.commands.kpi_words import amount, covered, is_wide, named, titled
from deploy.commands.output import CsvOption, FormatOption, JsonOption, Shown, show
from deploy.commands.periods import Days, FromOption, PeriodOption, ToOption, chosen
from deploy.errors import NothingFormed
from store import figures as stored
from store import registry

# No unit's word is broken in two.
_UNIT_WIDTH = 7

KpiOption = Annotated[
    list[str] | None, typer.Option("--kpi", help="Only this KPI, by its id; repeatable.")
]
KindOption = Annotated[
    Literal["month", "rolling12"] | None, typer.Option(help="Only months or only rolling years.")
]


def figures(
    factory: FactoryOption,
    period: PeriodOption = None,
    start: FromOption = None,
    end: ToOption = None,
    kpi: KpiOption = None,
    kind: KindOption = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Form the period as one, stored nowhere.")
    ] = False,
    form: FormatOption = "table",
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    database: DatabaseOption = None,
) -> None:
    """Print verified figures with their bounds, coverage and grade, each in its newest revision.

    Without a period it is the newest month and the newest rolling year; with one, the months in it
    and the rolling years that end in it. With --whole, any whole months are one period.

    Example: `millpond kpi figures --factory DEMO-FIBRE --period 2026-Q1 --whole`
    """
    window = chosen(period, start, end)
    with store.connect(database_url(database)) as conn:
        found_factory = registry.factory_by_code(conn, factory)
        if whole:
            formed = _whole(conn, found_factory, window)
            formed = [each for each in formed if kpi is None or each.kpi in kpi]
            show(_figures_shown(formed), form, as_json, as_csv)
            return
        known = stored.latest(conn, found_factory.factory_id, period_kind=kind)
    if not known:
        raise NothingFormed(_none_yet(factory))
    found = [each for each in _within(known, window) if kpi is None or each.kpi in kpi]
    if not found:
        raise NothingFormed(_none_here(known, kpi))
    show(_figures_shown(found), form, as_json, as_csv)


def _whole(
    conn: store.Connection, factory: registry.Factory, window: Days | None
) -> list[stored.NewFigure]:
    """Form every KPI of some months as one period, from the facts and records there are now."""
    from kpi.figures import Period, estimates, figure
    from kpi.jobs import last_full_hour
    from kpi.jobs.evidence import gathered

    if window is None or window.start.day != 1 or window.end.day != 1:
        raise typer.BadParameter(
            "--whole takes whole months: give --period, or --from and --to with firsts of months; "
            "`millpond kpi waterfall` forms OEE of any days"
        )
    evidence = gathered(conn, factory, last_full_hour(datetime.now(UTC)))
    is_open = window.end > evidence.today
    # How long it lasts says the period itself; it has no kind of its own.
    period = Period("month", window.start, window.end, is_open=is_open)
    found = estimates(evidence, period)
    return [figure(factory.factory_id, period, each, evidence.until) for each in found]


def _none_yet(factory: str) -> str:
    return (
        f"factory {factory} has no figure yet: once data of it have arrived, "
        "`millpond kpi refresh` forms them"
    )


def _none_here(known: list[stored.Figure], kpi: list[str] | None) -> str:
    ids = sorted({each.kpi for each in known})
    if kpi is not None and (strange := [each for each in kpi if each not in ids]):
        return f"there is no figure of {', '.join(strange)}; there are {', '.join(ids)}"
    first, last = min(each.period_start for each in known), max(each.period_end for each in known)
    return f"no figure lies in the period; there are figures from {first} to {last}"


def _within(known: list[stored.Figure], window: Days | None) -> list[stored.Figure]:
    if window is None:
        newest: dict[str, date] = {}
        for each in known:
            newest[each.period_kind] = max(
                each.period_start, newest.get(each.period_kind, each.period_start)
            )
        return [each for each in known if each.period_start == newest[each.period_kind]]
    return [
        each
        for each in known
        if window.start < each.period_end <= window.end
        or (each.revision == 0 and each.period_start < window.end <= each.period_end)
    ]


def _figures_shown(found: Sequence[stored.NewFigure]) -> Shown:
    from api import kpis
    from kpi.reasons import published

    found = sorted(
        found, key=lambda each: (each.period_kind, each.period_start, kpis.place(each.kpi))
    )
    by_period: dict[tuple[date, date], list[stored.NewFigure]] = {}
    for each in found:
        by_period.setdefault((each.period_start, each.period_end), []).append(each)
    parts = [part for period, those in by_period.items() for part in _of_period(period, those)]
    wholes = [
        published(
            {
                **asdict(each),
                "period_kind": _kind(each),
                "inputs_sha256": each.inputs_sha256.hex(),
            }
        )
        for each in found
    ]
    rows = [
        {name: whole[name] for name in whole if name != "inputs"}
        | {"key_equipment_share": (whole["inputs"].get("key_equipment") or {}).get("share")}
        for whole in wholes
    ]
    return Shown(Group(*parts), rows, wholes)


def _kind(each: stored.NewFigure) -> str:
    return each.period_kind if isinstance(each, stored.Figure) else "whole"


def _revision(each: stored.NewFigure) -> str:
    if not isinstance(each, stored.Figure):
        return "not stored"
    return "provisional" if each.revision == 0 else str(each.revision)


def _of_period(
    period: tuple[date, date], found: Sequence[stored.NewFigure]
) -> Iterator[RenderableType]:
    """Yield the figures of one period as a table, what OEE covers, and why some have no number."""
    from api.formats import months, percent
    from kpi.reasons import said

    wide = is_wide()
    table = titled(months(*period))
    if wide:
        table.add_column("KPI", overflow="fold")
    table.add_column("id", no_wrap=True)
    for name in ("value", "low – high"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("unit", overflow="fold", min_width=_UNIT_WIDTH)
    for name in ("grade", *(["revision"] if wide else [])):
        table.add_column(name, no_wrap=True)
    for each in found:
        point, low, high = (amount(each.kpi, at) for at in (each.point, each.low, each.high))
        name, unit = named(each.kpi, each.unit)
        table.add_row(
            *([name] if wide else []),
            *(each.kpi, point, "" if each.point is None else f"{low} – {high}", unit),
            f"{each.grade} {percent(each.coverage, 1)}",
            *([_revision(each)] if wide else []),
        )
    yield table
    for each in found:
        yield from covered(each.inputs.get("key_equipment"))
        if each.reason is not None:
            yield Text(f"  {each.kpi}: {said(each.reason, 'en')}")
