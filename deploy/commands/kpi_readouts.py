"""`millpond kpi figures` and `compare`: what is known of one factory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

import store
from deploy.commands.common import DatabaseOption, console, database_url
from deploy.commands.output import CsvOption, FormatOption, JsonOption, Shown, show
from deploy.commands.periods import Days, FromOption, PeriodOption, ToOption, chosen
from deploy.errors import NothingFormed
from store import figures as stored
from store import registry

# A terminal of fewer columns gets the id of a KPI alone; its name is in the forms for programs.
_WIDE = 110
# No unit's word is broken in two.
_UNIT_WIDTH = 7

FactoryOption = Annotated[str, typer.Option(help="Code of the factory.")]
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
    from kpi.reasons import published

    found = sorted(found, key=lambda each: (each.period_kind, each.period_start, _place(each.kpi)))
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

    wide = console.width >= _WIDE
    table = Table(
        title=months(*period),
        title_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    if wide:
        table.add_column("KPI", overflow="fold")
    table.add_column("id", no_wrap=True)
    for name in ("value", "low – high"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("unit", overflow="fold", min_width=_UNIT_WIDTH)
    for name in ("grade", *(["revision"] if wide else [])):
        table.add_column(name, no_wrap=True)
    for each in found:
        point, low, high = (_value(each.kpi, at) for at in (each.point, each.low, each.high))
        name, unit = _named(each.kpi, each.unit)
        table.add_row(
            *([name] if wide else []),
            *(each.kpi, point, "" if each.point is None else f"{low} – {high}", unit),
            f"{each.grade} {percent(each.coverage, 1)}",
            *([_revision(each)] if wide else []),
        )
    yield table
    for each in found:
        yield from _covered(each.inputs.get("key_equipment"))
        if each.reason is not None:
            yield Text(f"  {each.kpi}: {said(each.reason, 'en')}")


def _covered(key_equipment: Mapping[str, Any] | None) -> Iterator[RenderableType]:
    """Yield for how much of the registered key equipment an OEE speaks."""
    from api.messages import Texts
    from api.pages.words import key_equipment as words

    if key_equipment is not None:
        yield Text(f"  oee: {words(Texts('en'), key_equipment)}")


def _named(kpi_id: str, unit: str) -> tuple[str, str]:
    """Return the name of a KPI and the unit that a person reads; English is shorter."""
    from api import kpis

    if not kpis.known(kpi_id):
        return kpi_id, unit
    found = kpis.by_id(kpi_id)
    return found.zh, found.shown_unit_zh if console.width >= _WIDE else found.shown_unit_en


def _place(kpi_id: str) -> int:
    from api import kpis

    return kpis.place(kpi_id)


def _value(kpi_id: str, value: float | None) -> str:
    from api import kpis
    from api.formats import NOTHING, kpi_value

    if not kpis.known(kpi_id):
        return NOTHING if value is None else f"{value:g}"
    return kpi_value(kpis.by_id(kpi_id), value)


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
    covers = [part for row in found.rows for part in _covered(row.key_equipment)]
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
    table = Table(
        title=f"{found.factory.name_zh} {year}",
        title_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("KPI", overflow="fold")
    for name in ("before", "promised", "reported", "verified"):
        table.add_column(name, justify="right", overflow="fold", min_width=8)
    for name, width in (("", 1), ("kept", 10), ("report", 7)):
        table.add_column(name, overflow="fold", min_width=width)
    for row in found.rows:
        name, unit = _named(row.kpi, "")
        values = (row.before_value, row.expected_value, row.reported_value)
        before, promised, reported, point, low, high = (
            _value(row.kpi, value) for value in (*values, row.point, row.low, row.high)
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
