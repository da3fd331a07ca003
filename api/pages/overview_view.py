"""What the overview shows, as the template prints it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from api import attention, kpis
from api.attention import Judged
from api.counties import PLACES
from api.formats import NOTHING, local_minute, local_time, months
from api.kpis import Kpi
from api.messages import Texts
from api.pages.lists import Listing, href, kept, numbered
from api.pages.stay_view import Stay
from api.pages.templates import Word
from api.verdicts import CONSISTENCY, FULFILMENT, Tone
from store.pool import KpiStanding, Region, Standing

PER_PAGE = 50
TIMEZONE = "Asia/Shanghai"

_LEVEL_TONES: dict[str, Tone] = {"act": "bad", "watch": "warn", "fine": "good", "pending": "plain"}
_LEVEL_SHAPES = {"act": "missed", "watch": "partly", "fine": "met", "pending": "pending"}


@dataclass(frozen=True, slots=True)
class Tile:
    """A county in the diagram; column and row 0 put it behind the others."""

    name: str
    count: int
    state: Word
    column: int
    row: int
    href: str
    current: bool
    spoken: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One KPI of one factory; the flag says where its report differs."""

    verdict: Word | None
    flag: Word | None


@dataclass(frozen=True, slots=True)
class Row:
    """One factory of the matrix."""

    href: str
    name: str
    about: str
    state: Word
    stay: Stay | None
    period: str
    cells: tuple[Cell, ...]
    received: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page."""

    in_pool: int
    acting: int
    watching: int
    received: str
    tiles: tuple[Tile, ...]
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    region: str | None
    listing: Listing
    warnings_href: str


def overview(
    t: Texts,
    regions: Sequence[Region],
    standings: Sequence[Standing],
    chosen: str | None,
    page: int,
    stays: Mapping[str, Stay],
    *,
    tiled: Sequence[Region],
) -> Overview:
    """Build the page of the whole city, or of one chosen county; tiled counties are shown."""
    judged = [attention.judge(one) for one in standings]
    here = [one for one in judged if chosen in (None, one.standing.factory.region_code)]
    ranked = sorted(here, key=attrgetter("urgency"))
    pages = max(1, -(-len(ranked) // PER_PAGE))
    page = min(page, pages)
    columns = kpis.ordered({kpi.kpi for one in standings for kpi in one.kpis})
    levels = Counter(one.level for one in here)
    names = {region.code: t.pick(region.name_zh, region.name_en) for region in regions}
    return Overview(
        in_pool=len(here),
        acting=levels["act"],
        watching=levels["watch"],
        received=local_time(_newest([one.standing for one in here]), TIMEZONE),
        tiles=_tiles(t, tiled, judged, chosen),
        heads=tuple(kpi.short(t.language) for kpi in columns),
        rows=tuple(
            _row(t, one, columns, stays.get(one.standing.factory.code))
            for one in ranked[(page - 1) * PER_PAGE :][:PER_PAGE]
        ),
        region=None if chosen is None else names.get(chosen, chosen),
        listing=numbered(t, "/", page, pages, (kept("region", chosen),)),
        warnings_href=href("/warnings", (kept("region", chosen),)),
    )


def _newest(standings: Sequence[Standing]) -> datetime | None:
    known = [one.received_at for one in standings if one.received_at is not None]
    return max(known, default=None)


def _tiles(
    t: Texts, regions: Sequence[Region], judged: Sequence[Judged], chosen: str | None
) -> tuple[Tile, ...]:
    levels: dict[str, Counter[str]] = {}
    for one in judged:
        levels.setdefault(one.standing.factory.region_code, Counter())[one.level] += 1
    shown = [region for region in regions if region.code in PLACES or region.code in levels]
    return tuple(_tile(t, one, levels.get(one.code, Counter()), chosen) for one in shown)


def _tile(t: Texts, region: Region, levels: Counter[str], chosen: str | None) -> Tile:
    name, count, state = t.pick(region.name_zh, region.name_en), levels.total(), _state(t, levels)
    column, row = PLACES.get(region.code, (0, 0))
    return Tile(
        name=name,
        count=count,
        state=state,
        column=column,
        row=row,
        href=href("/", () if region.code == chosen else (kept("region", region.code),)),
        current=region.code == chosen,
        spoken=t("overview.factories_spoken", name=name, count=count, state=state.text),
    )


def _state(t: Texts, levels: Counter[str]) -> Word:
    if levels["act"]:
        return Word(t("common.attention", count=levels["act"]), "bad")
    if levels["watch"]:
        return Word(t("common.watching", count=levels["watch"]), "warn")
    if levels["fine"]:
        return Word(t("common.all_fine"), "good")
    return Word(t("attention.pending") if levels["pending"] else NOTHING, "plain")


def _row(t: Texts, judged: Judged, columns: Sequence[Kpi], stays: Stay | None) -> Row:
    level, standing = judged.level, judged.standing
    factory = standing.factory
    words = {kpi.kpi: kpi for kpi in standing.kpis}
    period = NOTHING
    if standing.period_start is not None and standing.period_end is not None:
        period = months(standing.period_start, standing.period_end)
    return Row(
        href=f"/factories/{factory.code}",
        name=t.pick(factory.name_zh, factory.name_en),
        about=t("common.separator").join(
            (
                t.pick(factory.enterprise_zh, factory.enterprise_en),
                t.pick(factory.region_zh, factory.region_en),
            )
        ),
        state=Word(
            t(f"attention.{level}"), _LEVEL_TONES[level], FULFILMENT[_LEVEL_SHAPES[level]].shape
        ),
        stay=stays,
        period=period,
        cells=tuple(_cell(t, words.get(kpi.kpi_id)) for kpi in columns),
        received=local_minute(standing.received_at, factory.timezone),
    )


def _cell(t: Texts, kpi: KpiStanding | None) -> Cell:
    if kpi is None:
        return Cell(None, None)
    word = FULFILMENT[kpi.fulfilment_verdict]
    verdict = Word(t(f"fulfilment.{word.code}"), word.tone, word.shape)
    if kpi.consistency_verdict not in ("off", "false"):
        return Cell(verdict, None)
    differs = CONSISTENCY[kpi.consistency_verdict]
    return Cell(verdict, Word(t(f"overview.report_{differs.code}"), differs.tone, differs.shape))
