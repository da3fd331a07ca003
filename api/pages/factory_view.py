"""What the page of one factory shows, as the template prints it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from api import kpis
from api.comparison import Comparison
from api.formats import NOTHING, kpi_value, local_time, months, percent, signed_percent
from api.kpis import Kpi
from api.messages import Texts
from api.pages import explanation_view, words
from api.pages.live_view import Live, live
from api.pages.proof_view import Proof
from api.pages.templates import Word
from kpi.reasons import said
from store.figures import Change
from store.pool import Compared, LiveTag, RollingYear, Standing


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose: a rolling year or a KPI."""

    value: str
    text: str
    current: bool
    href: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One KPI of the comparison table."""

    name: str
    unit: str
    before: str
    basis: str
    expected: str
    reported: str
    is_bare: bool  # nothing is known from before, promised or reported
    verified: str
    is_number: bool
    bounds: str
    key_equipment: str
    coverage: str
    grade: str
    version: str
    explained: str
    disputed: str
    settled: str
    settled_by: str
    reason: str
    fulfilment: Word
    fulfilment_share: str
    fulfilment_why: str
    consistency: Word
    deviation: str
    consistency_why: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One recent change."""

    when: str
    kpi: str
    what: str
    period: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a picture is, what it says, and how large it is drawn."""

    href: str
    narrow_href: str
    alt: str


@dataclass(frozen=True, slots=True)
class FactoryPage:
    """The whole page."""

    code: str
    name: str
    enterprise: str
    county: str
    kind: str
    baseline: str
    renovated: str
    period: str | None
    received: str
    years: tuple[Choice, ...]
    rows: tuple[Row, ...]
    fulfilment: Picture | None
    kpi: Kpi
    kpi_name: str
    kpi_unit: str
    month_run: Picture | None
    month_said: str
    month_note: str
    other_kpis: tuple[Choice, ...]
    changes: tuple[ChangeRow, ...]
    whole: str
    proof: Proof
    live: Live


@dataclass(frozen=True, slots=True)
class Months:
    """The month run of one KPI as its picture and sentences, and the KPIs that have one."""

    kpi: Kpi
    alt: str | None
    notes: tuple[str, ...]
    kpi_ids: frozenset[str]


def factory_page(
    t: Texts,
    standing: Standing,
    found: Comparison,
    run: Months,
    changes: Sequence[Change],
    stands_on: Proof,
    tags: Sequence[LiveTag],
    now: datetime | None = None,
) -> FactoryPage:
    """Build the page from what the database holds of the factory."""
    factory = found.factory
    query = {} if found.year is None else {"period_start": str(found.year.period_start)}
    return FactoryPage(
        code=factory.code,
        name=t.pick(factory.name_zh, factory.name_en),
        enterprise=t.pick(factory.enterprise_zh, factory.enterprise_en),
        county=t.pick(factory.region_zh, factory.region_en),
        kind=t(f"common.{factory.kind}"),
        baseline=months(factory.baseline_from, factory.baseline_to),
        renovated=str(factory.renovated_on),
        period=_period(found.year),
        received=local_time(standing.received_at, factory.timezone),
        years=tuple(_year(year, found.year) for year in found.years),
        rows=tuple(_row(t, found, row) for row in found.rows),
        fulfilment=_fulfilment(t, found, query),
        kpi=run.kpi,
        kpi_name=run.kpi.name(t.language),
        kpi_unit=run.kpi.shown_unit(t.language),
        month_run=_month_run(t, factory.code, run, query),
        month_said=_kept(t, found, run.kpi),
        month_note=t.sentences(run.notes),
        other_kpis=_other_kpis(t, factory.code, run, query),
        changes=tuple(_change(t, change, factory.timezone) for change in changes),
        whole=_whole(factory.code, query | {"kpi": run.kpi.kpi_id}),
        proof=stands_on,
        live=live(t, tags, factory.timezone, now or datetime.now(UTC)),
    )


def _kept(t: Texts, found: Comparison, kpi: Kpi) -> str:
    """Return in a sentence what of a KPI's promise happened, nothing where that is not known."""
    row = next((each for each in found.rows if each.kpi == kpi.kpi_id), None)
    if row is None or row.fulfilment is None:
        return ""
    return t(
        "factory.kept",
        share=percent(row.fulfilment),
        before=kpi_value(kpi, row.before_value),
        verified=kpi_value(kpi, row.point),
        expected=f"{kpi_value(kpi, row.expected_value)} {kpi.shown_unit(t.language)}",
        word=words.fulfilment(t, found, row).text,
        coverage=percent(row.coverage, 1),
    )


def _whole(code: str, query: dict[str, str]) -> str:
    """Return where the page is with its lists uncut."""
    return f"/factories/{code}?{urlencode(query | {'whole': 'true'})}"


def _period(year: RollingYear | None) -> str | None:
    return None if year is None else months(year.period_start, year.period_end)


def _year(year: RollingYear, chosen: RollingYear | None) -> Choice:
    return Choice(
        str(year.period_start), months(year.period_start, year.period_end), year == chosen
    )


def _row(t: Texts, found: Comparison, row: Compared) -> Row:
    kpi = kpis.by_id(row.kpi)
    bounds = (kpi_value(kpi, row.low), kpi_value(kpi, row.high))
    return Row(
        name=kpi.name(t.language),
        unit=words.unit_and_direction(t, kpi),
        before=kpi_value(kpi, row.before_value),
        basis=t(f"basis.{row.before_basis}") if row.before_basis else "",
        expected=kpi_value(kpi, row.expected_value),
        reported=kpi_value(kpi, row.reported_value),
        is_bare=row.before_value is row.expected_value is row.reported_value is None,
        verified=words.verified(t, kpi, row),
        is_number=row.point is not None,
        bounds=f"{bounds[0]} – {bounds[1]}" if row.point is not None else "",
        key_equipment=words.key_equipment(t, row.key_equipment),
        coverage=percent(row.coverage, 1),
        grade=row.grade or NOTHING,
        version=_version(t, row),
        explained=_explained(found, row),
        disputed="" if not row.revision else f"?figure={row.figure_id}",
        settled=_settled(t, found, row),
        settled_by=_settled_by(found, row),
        reason=said(row.reason, t.language),
        fulfilment=words.fulfilment(t, found, row),
        fulfilment_share=_share(row),
        fulfilment_why=words.why(t, row, "fulfilment"),
        consistency=words.consistency(t, row),
        deviation=_deviation(t, row),
        consistency_why=words.why(t, row, "consistency"),
    )


def _version(t: Texts, row: Compared) -> str:
    if row.revision is None:
        return ""
    state = (
        t("factory.revision", revision=row.revision) if row.revision else t("factory.provisional")
    )
    return t("common.separator").join((str(row.method_version), state))


def _explained(found: Comparison, row: Compared) -> str:
    """Return where the figure is explained down to its batches, empty where there is none."""
    if found.year is None or row.revision is None:
        return ""
    return explanation_view.href(found.factory.code, row.kpi, "rolling12", found.year.period_start)


def _settled(t: Texts, found: Comparison, row: Compared) -> str:
    """Return what a dispute settled in the figure's place, and by which document."""
    settled = found.settled.get(row.kpi)
    if settled is None:
        return ""
    kpi = kpis.by_id(row.kpi)
    low, high = kpi_value(kpi, settled.low), kpi_value(kpi, settled.high)
    value = kpi_value(kpi, settled.value)
    return t("factory.settled", value=value, low=low, high=high, document=settled.document)


def _settled_by(found: Comparison, row: Compared) -> str:
    settled = found.settled.get(row.kpi)
    if settled is None:
        return ""
    return f"/factories/{quote(found.factory.code)}/disputes/{settled.dispute_id}"


def _share(row: Compared) -> str:
    if row.expected_value is None or row.fulfilment is None:
        return ""
    if row.fulfilment_low is None or row.fulfilment_high is None:
        return percent(row.fulfilment)
    bounds = f"{percent(row.fulfilment_low)} – {percent(row.fulfilment_high)}"
    return f"{percent(row.fulfilment)} ({bounds})"


def _deviation(t: Texts, row: Compared) -> str:
    if row.reported_value is None or row.deviation is None:
        return ""
    return t("factory.deviation", value=signed_percent(row.deviation))


def _fulfilment(t: Texts, found: Comparison, query: dict[str, str]) -> Picture | None:
    promised = [row for row in found.rows if row.expected_value is not None]
    if not promised or not found.is_judged:
        return None
    texts = [_in_words(t, found, row) for row in promised]
    alt = t("factory.picture_alt", rows=t("factory.picture_separator").join(texts))
    return _picture(t, f"/factories/{found.factory.code}/fulfilment.svg", query, alt)


def _in_words(t: Texts, found: Comparison, row: Compared) -> str:
    verdict = words.fulfilment(t, found, row).text
    share = "" if row.fulfilment is None else f"{percent(row.fulfilment)} "
    return f"{kpis.by_id(row.kpi).name(t.language)} {share}{verdict}"


def _month_run(t: Texts, code: str, run: Months, query: dict[str, str]) -> Picture | None:
    if run.alt is None:
        return None
    query = query | {"kpi": run.kpi.kpi_id}
    return _picture(t, f"/factories/{code}/month-run.svg", query, run.alt)


def _picture(t: Texts, path: str, query: dict[str, str], alt: str) -> Picture:
    query = {"lang": t.language} | query
    wide = f"{path}?{urlencode(query)}"
    return Picture(wide, f"{path}?{urlencode(query | {'size': 'narrow'})}", alt)


def _other_kpis(t: Texts, code: str, run: Months, query: dict[str, str]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            kpi.kpi_id,
            kpi.short(t.language),
            kpi == run.kpi,
            f"/factories/{code}?{urlencode(query | {'kpi': kpi.kpi_id})}#months",
        )
        for kpi in kpis.ordered(run.kpi_ids)
    )


def _change(t: Texts, change: Change, timezone: str) -> ChangeRow:
    known = kpis.known(change.kpi)
    what = t("factory.change_figure") if change.what == "figure" else t(f"{change.what}.head")
    return ChangeRow(
        when=local_time(change.changed_at, timezone),
        kpi=kpis.by_id(change.kpi).name(t.language) if known else change.kpi,
        what=what,
        period=months(change.period_start, change.period_end),
        before=_state(t, change, change.before),
        after=_state(t, change, change.after),
    )


def _state(t: Texts, change: Change, state: dict[str, object] | None) -> str:
    if state is None:
        return NOTHING
    if change.what != "figure":
        return t(f"{change.what}.{state['verdict']}")
    point = state["point"]
    if not isinstance(point, int | float) or not kpis.known(change.kpi):
        return t("factory.unverifiable")
    kpi = kpis.by_id(change.kpi)
    return f"{kpi_value(kpi, point)} {kpi.shown_unit(t.language)}"
