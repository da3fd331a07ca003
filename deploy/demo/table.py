"""The demo's table in the terminal: factory x KPI, promise, report, proof and truth."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal

from rich.console import Console
from rich.table import Table

from api import formats, kpis
from api.language import Language
from api.messages import Texts
from api.verdicts import CONSISTENCY, FULFILMENT
from deploy.demo.outcome import Compared, Row
from deploy.demo.words import WORDS

_STYLES = {"good": "green", "warn": "yellow", "bad": "red bold", "plain": "dim"}
_LEFT = ("指标", "兑现", "一致", "KPI", "fulfilment", "consistency")
# Cells that share a column, one below the other, where the terminal is narrow.
_STACKS = ((0,), (1, 2, 3), (4, 5, 6), (7, 8), (9, 10))
_UNBOUNDED = 10_000


def show(console: Console, rows: Sequence[Row], language: Language) -> None:
    """Print one table, a section for each factory: a line for each KPI, or a few if too narrow."""
    table = _table(rows, language)
    unbounded = console.options.update(max_width=_UNBOUNDED)
    if console.measure(table, options=unbounded).maximum > console.width:
        table = _table(rows, language, _STACKS)
    console.print(table)


def _table(
    rows: Sequence[Row], language: Language, stacks: Sequence[Sequence[int]] | None = None
) -> Table:
    words = WORDS[language]
    heads = words["heads"].split()
    table = Table(
        title=words["title"],
        title_justify="left",
        title_style="bold",
        show_lines=stacks is not None,
        show_edge=stacks is None,
        pad_edge=stacks is None,
    )
    for head in _stacked(heads, stacks):
        justify: Literal["left", "right"] = "left" if head.startswith(_LEFT) else "right"
        # A name may be broken at a space; half a figure would say nothing.
        table.add_column(head, justify=justify, overflow="fold", no_wrap=head != heads[0])
    for _, group in groupby(rows, key=lambda row: row.compared.factory.code):
        lines = list(group)
        table.add_section()
        table.add_row(_heading(lines[0].compared, language), end_section=True)
        for row in lines:
            kpi = kpis.by_id(row.compared.figure.kpi)
            name = kpi.name(language) if stacks is None else kpi.short(language)
            cells = [f"{name} {kpi.shown_unit(language)}", *_cells(row, language)]
            table.add_row(*_stacked(cells, stacks))
    return table


def _heading(compared: Compared, language: Language) -> str:
    """Return what stands above the lines of a factory: its name and the year."""
    factory, figure = compared.factory, compared.figure
    name = Texts(language).pick(factory.name_zh, factory.name_en)
    return f"[bold]{name}\n{formats.months(figure.period_start, figure.period_end)}[/bold]"


def _stacked(cells: Sequence[str], stacks: Sequence[Sequence[int]] | None) -> Sequence[str]:
    if stacks is None:
        return cells
    return ["\n".join(cells[place] for place in stack) for stack in stacks]


def _cells(row: Row, language: Language) -> Iterable[str]:
    figure, verdict, promise = row.compared.figure, row.verdict, row.promise
    kpi = kpis.by_id(figure.kpi)

    def value(stored: float | None) -> str:
        return formats.kpi_value(kpi, stored)

    yield value(verdict.before_value if verdict else None)
    yield value(promise.expected_value if promise else None)
    yield value(verdict.reported_value if verdict else None)
    yield f"[bold]{value(figure.point)}[/bold]"
    yield f"{value(figure.low)} ~ {value(figure.high)}" if figure.point is not None else "—"
    yield f"{formats.percent(figure.coverage, 1)} {figure.grade}"
    if verdict is None:
        yield from ("—", "—")
    else:
        yield _fulfilment(verdict.fulfilment_verdict, verdict.fulfilment, language)
        yield _consistency(verdict.consistency_verdict, verdict.deviation, language)
    yield value(row.compared.truth)
    yield difference(row.compared)


def _fulfilment(word: str, share: float | None, language: Language) -> str:
    text = f"{Texts(language)(f'fulfilment.{word}')} {formats.percent(share)}"
    return f"[{_STYLES[FULFILMENT[word].tone]}]{text}[/]"


def _consistency(word: str, deviation: float | None, language: Language) -> str:
    text = f"{Texts(language)(f'consistency.{word}')} {formats.signed_percent(deviation)}"
    return f"[{_STYLES[CONSISTENCY[word].tone]}]{text}[/]"


def difference(compared: Compared) -> str:
    """Return verified minus true: points of a percentage, units of a count, else percent."""
    gap, unit = compared.difference, compared.figure.unit
    if gap is None:
        return "—"
    if unit == "count":
        return f"{gap:+.0f}"
    return f"{gap * 100:+.3f} {'pp' if unit == '1' else '%'}"
