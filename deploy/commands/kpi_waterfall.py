"""`millpond kpi waterfall`: where calendar time goes."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.table import Table

import store
from deploy.commands.common import DatabaseOption, FactoryOption, database_url
from deploy.commands.output import CsvOption, FormatOption, JsonOption, Shown, folding, show
from deploy.commands.periods import Days, FromOption, PeriodOption, ToOption, chosen
from deploy.errors import NothingFormed
from store import figures as stored
from store import registry

if TYPE_CHECKING:
    from kpi.losses import Step, Waterfall


def waterfall(
    factory: FactoryOption,
    period: PeriodOption = None,
    start: FromOption = None,
    end: ToOption = None,
    form: FormatOption = "table",
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    svg: Annotated[
        Path | None, typer.Option(help="Write the picture to this file too.", dir_okay=False)
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Print where calendar time goes, down to good units, with OEE and its factors beside it.

    It is summed up from the hour facts of any days; without a period, of the newest month that
    has a figure.

    Example: `millpond kpi waterfall --factory DEMO-FIBRE --period 2026-Q1`
    """
    from kpi.figures import Period, figure
    from kpi.figures.equipment import oee
    from kpi.jobs import last_full_hour
    from kpi.jobs.evidence import gathered
    from kpi.losses import waterfall as losses

    with store.connect(database_url(database)) as conn:
        found_factory = registry.factory_by_code(conn, factory)
        window = chosen(period, start, end) or _newest_month(conn, found_factory)
        evidence = gathered(conn, found_factory, last_full_hour(datetime.now(UTC)))
    found = losses(evidence, window.start, window.end)
    days = Period("month", window.start, window.end)
    beside = [
        figure(found_factory.factory_id, days, each, evidence.until) for each in oee(evidence, days)
    ]
    show(_waterfall_shown(found_factory, window, found, beside), form, as_json, as_csv)
    if svg is not None:
        svg.write_text(_picture(found_factory, window, found), encoding="utf-8")


def _newest_month(conn: store.Connection, factory: registry.Factory) -> Days:
    known = stored.latest(conn, factory.factory_id, kpi="oee", period_kind="month")
    formed = [each for each in known if each.point is not None]
    if not formed:
        raise NothingFormed(
            f"factory {factory.code} has no month with a figure of OEE yet: load its data and run "
            "`millpond kpi refresh`, or name days with --from and --to"
        )
    newest = max(formed, key=lambda each: each.period_start)
    return Days(newest.period_start, newest.period_end)


def _waterfall_shown(
    factory: registry.Factory, window: Days, found: "Waterfall", beside: list[stored.NewFigure]
) -> Shown:
    from api.formats import number, percent

    title = f"{factory.name_zh} {window.start} – {window.end}, {found.machines} machines"
    table = folding("level or loss", "hours", "of calendar time", title=title)
    for step in found.steps:
        level = step.kind == "level"
        table.add_row(
            f"[bold]{NAMES[step.name]}[/bold]" if level else f"  − {NAMES[step.name]}",
            NOT_KNOWN if step.hours is None else number(step.hours, 1),
            "" if step.share is None else percent(step.share, 1),
        )
    rows = [asdict(step) for step in found.steps]
    whole = {
        "factory": factory.code,
        "start": window.start,
        "end": window.end,
        **asdict(found),
        "oee": [_formed(each) for each in beside],
    }
    return Shown(Group(table, *_undivided(found), _factors(beside)), rows, whole)


def _undivided(found: "Waterfall") -> list[str]:
    """Return a sentence on machines of which nobody knows what was lost to rejects."""
    if not found.good_only:
        return []
    named = ", ".join(found.good_only)
    return [
        f"{named} 只计合格品，速度与质量损失无法分开 / {named}: only good units are counted,"
        " so that losses of speed and of quality are not told apart"
    ]


def _factors(beside: list[stored.NewFigure]) -> Table:
    """Return OEE with its factors, its relatives and the key equipment that it speaks for."""
    from api.formats import percent
    from kpi.reasons import said

    table = folding("", "value", "low – high")
    for each in beside:
        point, low, high = (percent(value, 1) for value in (each.point, each.low, each.high))
        table.add_row(each.kpi, point, said(each.reason, "en") or f"{low} – {high}")
    for name, given in _relatives(beside[0].inputs).items():
        low, point, high = (percent(given[bound], 1) for bound in ("low", "point", "high"))
        table.add_row(name, point, f"{low} – {high}")
    covered = beside[0].inputs["key_equipment"]
    left_out = ", ".join(covered.get("left_out", ()))
    without = f"without {left_out}" if left_out else said(covered.get("reason"), "en")
    table.add_row("key equipment covered", percent(covered["share"], 1), without)
    return table


def _formed(each: stored.NewFigure) -> dict[str, Any]:
    """Return what was formed for these days alone and is stored nowhere."""
    from kpi.reasons import published

    names = ("kpi", "unit", "point", "low", "high", "coverage", "grade", "reason", "inputs")
    return published({name: getattr(each, name) for name in names})


def _relatives(inputs: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """Return what stands beside OEE and must not be taken for it."""
    names = ("nee", "teep", "ooe")
    return {name: inputs[name] for name in names if inputs.get(name) is not None}


NOT_KNOWN = "未知 not known"

NAMES = {
    "calendar": "日历时间 calendar time",
    "off": "未排产 not scheduled",
    "planned_down": "事先报备停机 stops filed beforehand",
    "planned": "计划工作时间 planned busy time",
    "setup": "换型调整 setup",
    "stop": "停机 stopped",
    "idle": "待机 idle",
    "unknown": "状态未知 state unknown",
    "run": "运行时间 run time",
    "speed": "速度损失 speed",
    "speed_or_quality": "速度或质量损失 speed or quality",
    "ideal": "理想产出时间 ideal time of all units",
    "quality": "质量损失 quality",
    "good": "合格产出时间 ideal time of good units",
}


def _named(step: "Step") -> str:
    return NAMES[step.name] if step.hours is not None else f"{NAMES[step.name]}: {NOT_KNOWN}"


def _picture(factory: registry.Factory, window: Days, found: "Waterfall") -> str:
    from api.pictures.losses import Bar, svg

    bars = [Bar(_named(step), step.kind, step.hours, step.share) for step in found.steps]
    return svg(bars, f"{factory.name_zh} {window.start} – {window.end}")
