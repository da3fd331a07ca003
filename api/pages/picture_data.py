"""From what the database holds to what a picture shows."""

from collections.abc import Sequence
from datetime import date

from api import kpis
from api.comparison import Comparison
from api.formats import kpi_value, number
from api.kpis import Kpi
from api.messages import Texts
from api.pages import words
from api.pages.factory_view import Months
from api.pages.templates import Word
from api.pictures.data import (
    Fulfilment,
    FulfilmentRow,
    FulfilmentWords,
    Judgement,
    MonthPoint,
    MonthRun,
    MonthRunWords,
)
from store.figures import Figure
from store.pool import Compared
from store.registry import Factory


def fulfilment(t: Texts, found: Comparison, *, narrow: bool = False) -> Fulfilment:
    """Return the picture of all KPIs that were promised something."""
    promised = [row for row in found.rows if row.expected_value is not None]
    return Fulfilment(
        description=t("factory.picture_title"),
        words=FulfilmentWords(
            before=t("factory.before"),
            expected=t("factory.expected"),
            reported=t("factory.reported"),
            verified=t("factory.verified"),
            grade=t("factory.grade"),
            fulfilment=t("fulfilment.head"),
            consistency=t("consistency.head"),
            legend_verified=t("picture.legend_verified"),
            legend_scale=t("picture.legend_scale"),
            legend_short=t("picture.legend_short"),
        ),
        rows=tuple(_row(t, found, row) for row in promised),
        narrow=narrow,
    )


def _row(t: Texts, found: Comparison, row: Compared) -> FulfilmentRow:
    kpi = kpis.by_id(row.kpi)
    consistency = None if row.reported_value is None else _judgement(words.consistency(t, row))
    return FulfilmentRow(
        label=kpi.name(t.language),
        unit=words.unit_and_direction(t, kpi),
        before=kpi_value(kpi, row.before_value),
        expected=kpi_value(kpi, row.expected_value),
        reported=kpi_value(kpi, row.reported_value),
        verified=kpi_value(kpi, row.point),
        grade=row.grade or t("common.nothing"),
        point=row.fulfilment,
        low=row.fulfilment_low,
        high=row.fulfilment_high,
        fulfilment=_judgement(words.fulfilment(t, found, row)),
        consistency=consistency,
        note=_note(t, found, row),
    )


def _judgement(word: Word) -> Judgement:
    return Judgement(word.text, word.shape, word.tone)


def _note(t: Texts, found: Comparison, row: Compared) -> str:
    if row.fulfilment is not None:
        return ""
    if not found.is_judged:
        return t("common.before_renovation")
    if row.fulfilment_verdict is None or row.figure_id is None:
        return t("picture.note_pending")
    return t("picture.note_unknown" if row.point is None else "picture.note_no_axis")


def month_run(
    t: Texts,
    kpi: Kpi,
    factory: Factory,
    figures: Sequence[Figure],
    found: Comparison,
    *,
    narrow: bool = False,
) -> MonthRun:
    """Return the picture of one KPI by month, with the levels of before and expected."""
    row = next((row for row in found.rows if row.kpi == kpi.kpi_id and not kpi.adds_up), None)
    year = found.year
    return MonthRun(
        description=t(
            "factory.months_title", kpi=kpi.name(t.language), unit=kpi.shown_unit(t.language)
        ),
        words=MonthRunWords(
            baseline=t("picture.baseline"),
            verification=t("picture.verification"),
            renovated=t("picture.renovated"),
            before=t("factory.before"),
            expected=t("factory.expected"),
            unverifiable=t("factory.unverifiable"),
        ),
        months=tuple(_month(kpi, figure) for figure in figures),
        baseline=(_count(factory.baseline_from), _count(factory.baseline_to)),
        verification=(_count(year.period_start), _count(year.period_end)) if year else None,
        renovated=_count(factory.renovated_on),
        before=None if row is None else kpi.shown(row.before_value),
        expected=None if row is None else kpi.shown(row.expected_value),
        decimals=kpi.decimals,
        narrow=narrow,
    )


def _month(kpi: Kpi, figure: Figure) -> MonthPoint:
    return MonthPoint(
        month=_count(figure.period_start),
        point=kpi.shown(figure.point),
        low=kpi.shown(figure.low),
        high=kpi.shown(figure.high),
        is_open=figure.revision == 0,
    )


def _count(day: date) -> int:
    return day.year * 12 + day.month - 1


def months_view(t: Texts, kpi: Kpi, figures: Sequence[Figure], kpi_ids: frozenset[str]) -> Months:
    """Return what the page says of the months in words."""
    points = [
        value for value in (kpi.shown(figure.point) for figure in figures) if value is not None
    ]
    if not points:
        return Months(kpi, None, (), kpi_ids)
    shown = [f"{number(value, kpi.decimals)} {kpi.shown_unit(t.language)}" for value in points]
    low, high = points.index(min(points)), points.index(max(points))
    alt = t(
        "factory.months_alt",
        kpi=kpi.name(t.language),
        period=f"{figures[0].period_start:%Y-%m} – {figures[-1].period_start:%Y-%m}",
        low=shown[low],
        high=shown[high],
        last=shown[-1],
    )
    notes = []
    if len(points) < len(figures):
        notes.append(t("factory.months_gap", count=len(figures) - len(points)))
    if any(figure.revision == 0 for figure in figures):
        notes.append(t("factory.months_open"))
    return Months(kpi, alt, tuple(notes), kpi_ids)
