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

_STYLES = {"good": "green", "warn": "yellow", "bad": "red bold", "plain": "dim"}
_ZH = "指标 改造前 申报预期 本期自报 平台核验 区间 数据 兑现 一致 仿真真值 差"
_EN = "KPI before expected reported verified bounds data fulfilment consistency truth difference"
_LEFT = (0, 7, 8)


def show(console: Console, rows: Sequence[Row], language: Language) -> None:
    """Print one table a factory."""
    for _, group in groupby(rows, key=lambda row: row.compared.factory.code):
        console.print(_table(list(group), language))


def _table(rows: Sequence[Row], language: Language) -> Table:
    compared = rows[0].compared
    factory, figure = compared.factory, compared.figure
    name = Texts(language).pick(factory.name_zh, factory.name_en)
    period = formats.months(figure.period_start, figure.period_end)
    table = Table(title=f"{name}  {period}", title_justify="left", title_style="bold")
    for place, head in enumerate((_EN if language == "en" else _ZH).split()):
        justify: Literal["left", "right"] = "left" if place in _LEFT else "right"
        table.add_column(head, justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, language))
    return table


def _cells(row: Row, language: Language) -> Iterable[str]:
    figure, verdict, promise = row.compared.figure, row.verdict, row.promise
    kpi = kpis.by_id(figure.kpi)

    def value(stored: float | None) -> str:
        return formats.kpi_value(kpi, stored)

    yield f"{kpi.name(language)} {kpi.shown_unit(language)}"
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
