"""What the page of one figure shows, as its template prints it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from heapq import nlargest
from urllib.parse import quote, urlencode

from api import kpis
from api.formats import NOTHING, kpi_value, local_minute, months, number, percent
from api.messages import Texts
from api.pages.templates import Word
from api.verdicts import Tone
from kpi.provenance.explain import AssetFacts, BatchUnder, Explanation, RecordUnder
from kpi.reasons import said
from store.record_kinds import record_kind
from store.registry import Factory

MOST_BATCHES = 50
MOST_RECORDS = 20
MOST_HOURS = 5

_HOUR_S = 3600.0
_MINUTE_S = 60.0
_HASH_SHOWN = 12
_TONE: dict[bool, Tone] = {True: "good", False: "bad"}


@dataclass(frozen=True, slots=True)
class AssetRow:
    """The hour facts of one asset, added up; times in hours, a dash where it has none."""

    asset: str
    name: str
    hours: str
    rows: str
    planned: str
    run: str
    unknown: str
    total: str
    good: str


@dataclass(frozen=True, slots=True)
class HourRow:
    """An hour that is known worst."""

    hour: str
    asset: str
    unknown: str
    uncounted: str


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A signed batch under the figure."""

    gateway: str
    seq: str
    rows: str
    records: str
    signature: Word
    received: str
    sha256: str


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """Who signed."""

    gateway: str
    key: str
    enrolled: str
    by: str
    batches: str


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A business record in the version that counts."""

    kind: str
    key: str
    version: str
    at: str
    batch: str


@dataclass(frozen=True, slots=True)
class ExplanationPage:
    """The whole page."""

    factory: str
    factory_href: str
    kpi: str
    value: str
    unit: str
    bounds: str
    why: str
    facts: tuple[tuple[str, str], ...]
    chain: tuple[str, ...]
    assets: tuple[AssetRow, ...]
    hours: tuple[HourRow, ...]
    batches: tuple[BatchRow, ...]
    batches_note: str
    gateways: tuple[GatewayRow, ...]
    records: tuple[RecordRow, ...]
    records_note: str
    interface: str


def href(factory: str, kpi: str, period_kind: str, start: date, revision: int | None = None) -> str:
    """Return the page of a figure, of its newest revision unless another is named."""
    path = f"/factories/{quote(factory, safe='')}/figures/{kpi}/{period_kind}/{start}"
    return path if revision is None else f"{path}?revision={revision}"


def explanation_page(t: Texts, factory: Factory, found: Explanation) -> ExplanationPage:
    """Build the page from a figure and all that it stands on."""
    kpi, code = kpis.by_id(found.kpi), quote(factory.code, safe="")
    asked = {"kpi": found.kpi}
    if found.period_kind == "rolling12":
        asked["period_start"] = str(found.period_start)
    bounds = ""
    if found.low is not None and found.high is not None:
        bounds = f"{kpi_value(kpi, found.low)} – {kpi_value(kpi, found.high)}"
    return ExplanationPage(
        factory=t.pick(factory.name_zh, factory.name_en),
        factory_href=f"/factories/{code}?{urlencode(asked)}",
        kpi=kpi.name(t.language),
        value=t("factory.unverifiable") if found.point is None else kpi_value(kpi, found.point),
        unit="" if found.point is None else kpi.shown_unit(t.language),
        bounds=bounds,
        why=said(found.reason, t.language),
        facts=tuple(_facts(t, factory, found)),
        chain=_chain(t, factory, found),
        assets=tuple(_asset(t, each) for each in found.facts),
        hours=_hours(factory, found.facts),
        batches=tuple(_batch(t, factory, each) for each in found.batches[:MOST_BATCHES]),
        batches_note=_of(t, MOST_BATCHES, found.batch_count),
        gateways=tuple(
            GatewayRow(
                each.gateway, each.key_fingerprint,
                local_minute(each.enrolled_at, factory.timezone), each.enrolled_by or NOTHING,
                number(each.batches, 0),
            )
            for each in found.gateways
        ),
        records=tuple(_record(t, factory, each) for each in found.records[:MOST_RECORDS]),
        records_note=_of(t, MOST_RECORDS, found.record_count),
        interface=(
            f"/api/v1/factories/{code}/figures/{found.kpi}/{found.period_kind}"
            f"/{found.period_start}/explanation?revision={found.revision}"
        ),
    )  # fmt: skip


def _facts(t: Texts, factory: Factory, found: Explanation) -> list[tuple[str, str]]:
    revision = t("factory.revision", revision=found.revision)
    return [
        (t("explained.period"), months(found.period_start, found.period_end)),
        (t("factory.grade"), f"{found.grade}{t('common.separator')}{percent(found.coverage, 1)}"),
        (
            t("factory.method"),
            t("common.separator").join(
                (found.method_version, revision if found.revision else t("factory.provisional"))
            ),
        ),
        (t("explained.coefficients"), found.coefficient_version),
        (t("explained.computed"), local_minute(found.computed_at, factory.timezone)),
    ]


def _chain(t: Texts, factory: Factory, found: Explanation) -> tuple[str, ...]:
    hours = sum(each.hours for each in found.facts)
    rows = sum(each.rows for each in found.facts)
    signed = all(each.signature_ok for each in found.batches)
    steps = [
        t("explained.chain_facts", assets=len(found.facts), hours=number(hours, 0)),
        t("explained.chain_rows", rows=number(rows, 0)),
    ]
    if found.record_count:
        steps.append(t("explained.chain_records", count=number(found.record_count, 0)))
    batches = "explained.chain_batches" if signed else "explained.chain_unsigned"
    steps.append(t(batches, count=number(found.batch_count, 0), gateways=len(found.gateways)))
    if found.rows_from is not None:
        day = local_minute(found.rows_from, factory.timezone)
        steps.append(t("explained.chain_final", day=day))
    return tuple(steps)


def _asset(t: Texts, found: AssetFacts) -> AssetRow:
    sums = found.sums
    return AssetRow(
        asset=found.asset,
        name=found.name_zh,
        hours=number(found.hours, 0),
        rows=number(found.rows, 0),
        planned=_hours_of(sums, "planned_s"),
        run=_hours_of(sums, "run_s"),
        unknown=_hours_of(sums, "unknown_s"),
        total=number(sums.get("total"), 0),
        good=number(sums.get("good"), 0),
    )


def _hours_of(sums: Mapping[str, float], name: str) -> str:
    value = sums.get(name)
    return NOTHING if value is None else number(value / _HOUR_S, 1)


def _hours(factory: Factory, found: list[AssetFacts]) -> tuple[HourRow, ...]:
    worst = nlargest(
        MOST_HOURS,
        ((hour, each.asset) for each in found for hour in each.worst_hours),
        key=lambda one: one[0].unknown_s + one[0].uncounted_s,
    )
    return tuple(
        HourRow(
            local_minute(hour.hour, factory.timezone),
            asset,
            number(hour.unknown_s / _MINUTE_S, 0),
            number(hour.uncounted_s / _MINUTE_S, 0),
        )
        for hour, asset in worst
    )


def _batch(t: Texts, factory: Factory, found: BatchUnder) -> BatchRow:
    ok = found.signature_ok
    return BatchRow(
        gateway=found.gateway,
        seq=str(found.seq),
        rows=number(found.rows, 0),
        records=number(found.records, 0),
        signature=Word(t("explained.signed" if ok else "explained.unsigned"), _TONE[ok]),
        received=local_minute(found.received_at, factory.timezone),
        sha256=f"{found.sha256[:_HASH_SHOWN]}…",
    )


def _record(t: Texts, factory: Factory, found: RecordUnder) -> RecordRow:
    return RecordRow(
        kind=_kind(t, found.kind),
        key=found.key,
        version=str(found.version),
        at=local_minute(found.at, factory.timezone),
        batch=f"{found.gateway} {found.seq}",
    )


def _kind(t: Texts, code: str) -> str:
    known = record_kind(code)
    return code if known is None else t.pick(known.title_zh, code.replace("_", " "))


def _of(t: Texts, most: int, count: int) -> str:
    return t("explained.first", most=most, count=number(count, 0)) if count > most else ""
