"""What lies under which KPI, and how a period is named."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from kpi.calendar import add_months, local_midnight
from kpi.errors import NotComputable
from kpi.figures.records import KINDS
from store.figures import PeriodKind
from store.registry import Asset, MonitoringPlan

_MONTH = re.compile(r"^\d{4}-\d{2}$")
_YEAR_MONTHS = 12

_OEE = ("oee", "availability", "performance", "quality")
_RECORDS: Mapping[str, Sequence[str]] = {
    "defect_rate": ("inspection",),
    "on_time_delivery": ("order_line",),
    "inventory_turnover": ("stock_balance", "cogs"),
    "headcount": ("headcount",),
    "rd_cycle": ("rd_project",),
}
_KEY_EQUIPMENT = ("networked_equipment", "retrofitted_lines", "retrofitted_equipment")
# What is formed from facts alone.
_FACTS = (*_OEE, *_KEY_EQUIPMENT, "robots")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was; where names the place, said is the whole sentence."""

    kind: str
    where: str
    said: str


def assets_under(plan: MonitoringPlan, kpi: str) -> list[Asset]:
    """Return the assets whose facts a KPI is formed from; of one not listed here, all."""
    if kpi in _OEE:
        return [asset for asset in plan.assets if asset.in_oee]
    if kpi.startswith("standard_coal"):
        return [asset for asset in plan.assets if asset.kind == "meter"]
    if kpi in _KEY_EQUIPMENT:
        return [asset for asset in plan.assets if asset.key_equipment]
    if kpi == "robots":
        return [asset for asset in plan.assets if asset.kind == "robot"]
    if kpi in _RECORDS:
        return [asset for asset in plan.assets if asset.kind == "system"]
    return list(plan.assets)


def kinds_under(kpi: str) -> Sequence[str]:
    """Return the kinds of records that a KPI is formed from; of one not listed here, all."""
    if kpi in _FACTS or kpi.startswith("standard_coal"):
        return ()
    return _RECORDS.get(kpi, KINDS)


def window(plan: MonitoringPlan, start: date, end: date) -> tuple[datetime, datetime]:
    """Return the local days [start, end) as times."""
    zone = plan.factory.timezone
    return local_midnight(start, zone), local_midnight(end, zone)


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
