"""What lies under which KPI, and how a period is named."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from kpi.calendar import add_months, local_midnight, production_start, whole_hours
from kpi.errors import NotComputable
from kpi.figures.records import KINDS
from kpi.figures.under import UNDER
from store.figures import PeriodKind
from store.registry import Asset, MonitoringPlan

_MONTH = re.compile(r"^\d{4}-\d{2}$")
_YEAR_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was; where names the place, said is the whole sentence."""

    kind: str
    where: str
    said: str


def assets_under(plan: MonitoringPlan, kpi: str) -> list[Asset]:
    """Return the assets whose facts a KPI is formed from; of one that is gone, all."""
    under = UNDER.get(kpi)
    return [asset for asset in plan.assets if under is None or under.counts(asset)]


def kinds_under(kpi: str) -> Sequence[str]:
    """Return the kinds of records that a KPI is formed from; of one that is gone, all."""
    return UNDER[kpi].kinds if kpi in UNDER else KINDS


# What is made counts by production day, and what it took by the clock.
_BY_SHIFT = ("oee", "availability", "performance", "quality")
_BY_BOTH = ("energy_intensity", "energy_saving")


def window(
    plan: MonitoringPlan, start: date, end: date, kpi: str | None = None
) -> tuple[datetime, datetime]:
    """Return the local days [start, end) as times, or the hours that a KPI of them looks at."""
    zone = plan.factory.timezone
    begins, ends = local_midnight(start, zone), local_midnight(end, zone)
    if kpi in _BY_SHIFT:
        begins = production_start(plan, start)
    if kpi in (*_BY_SHIFT, *_BY_BOTH):
        ends = production_start(plan, end)
    return whole_hours(begins, ends)


def period(text: str) -> tuple[PeriodKind, date, date]:
    """Read `2026-03` as a month and `2025-04..2026-03` as twelve; raises NotComputable."""
    first, _, last = text.partition("..")
    begin = _month(first, text)
    if not last:
        return "month", begin, add_months(begin, 1)
    end = add_months(_month(last, text), 1)
    if add_months(begin, _YEAR_MONTHS) != end:
        raise NotComputable(f"{text} are not twelve months; a year is such as 2025-04..2026-03")
    return "rolling12", begin, end


def _month(text: str, whole: str) -> date:
    if _MONTH.match(text):
        with suppress(ValueError):
            return date.fromisoformat(f"{text}-01")
    raise NotComputable(
        f"{whole} is no period; a month is such as 2026-03, a year such as 2025-04..2026-03"
    )


def named_period(kind: str, start: date, end: date) -> str:
    """Return a period as `period` reads it."""
    if kind == "month":
        return f"{start:%Y-%m}"
    return f"{start:%Y-%m}..{add_months(end, -1):%Y-%m}"
