"""How each KPI is named, ordered and shown to a person; stored values are another matter.

Names follow the effect table of the pool's application form. Ratios are stored as 0…1 and shown
in percent; inventory turnover is stored in turns and shown in percent, as the form asks for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

KpiId = Literal[
    "oee",
    "availability",
    "performance",
    "quality",
    "defect_rate",
    "inventory_turnover",
    "on_time_delivery",
    "standard_coal",
    "standard_coal_equivalent",
    "networked_equipment",
    "robots",
    "retrofitted_lines",
    "retrofitted_equipment",
    "headcount",
    "rd_cycle",
    "standard_coal_purchased",
    "standard_coal_with_media",
    "energy_intensity",
    "energy_intensity_value",
    "energy_saving",
]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI: shown value = stored value × factor, with so many decimals, in shown_unit."""

    kpi_id: KpiId
    zh: str
    en: str
    short_zh: str
    short_en: str
    unit: str
    shown_unit_zh: str
    shown_unit_en: str
    factor: float
    decimals: int
    better: Literal["up", "down"]
    # A month's value is a part of the year's, so that a promise for a year says nothing of it.
    adds_up: bool = False

    def name(self, language: str) -> str:
        """Return the full name."""
        return self.en if language == "en" else self.zh

    def short(self, language: str) -> str:
        """Return the name for the head of a narrow column."""
        return self.short_en if language == "en" else self.short_zh

    def shown_unit(self, language: str) -> str:
        """Return the unit that a person reads."""
        return self.shown_unit_en if language == "en" else self.shown_unit_zh

    def shown(self, value: float | None) -> float | None:
        """Turn a stored value into the one that a person reads."""
        return None if value is None else value * self.factor


def _ratio(
    kpi_id: KpiId,
    zh: str,
    en: str,
    short_zh: str,
    short_en: str,
    *,
    decimals: int = 1,
    better: Literal["up", "down"] = "up",
) -> Kpi:
    return Kpi(kpi_id, zh, en, short_zh, short_en, "1", "%", "%", 100.0, decimals, better)


def _coal(kpi_id: KpiId, zh: str, en: str, short_zh: str, short_en: str) -> Kpi:
    return Kpi(kpi_id, zh, en, short_zh, short_en, "tce", "吨标准煤", "tce", 1.0, 1, "down", True)


# In the order in which pages list them.
KPIS: tuple[Kpi, ...] = (
    _ratio("oee", "设备综合利用率 OEE", "Overall equipment effectiveness", "OEE", "OEE"),
    _ratio("availability", "时间开动率", "Availability", "开动率", "Availability"),
    _ratio("performance", "性能开动率", "Performance", "性能率", "Performance"),
    _ratio("quality", "合格品率", "Quality ratio", "合格率", "Quality"),
    _ratio(
        "defect_rate",
        "产品不良品率",
        "Defect rate",
        "不良品率",
        "Defects",
        decimals=2,
        better="down",
    ),
    Kpi(
        "inventory_turnover",
        "库存周转率",
        "Inventory turnover",
        "库存周转",
        "Turnover",
        "turns",
        "%",
        "%",
        100.0,
        1,
        "up",
        True,
    ),
    _ratio("on_time_delivery", "订单准时交付率", "On-time delivery", "准时交付", "On time"),
    _coal(
        "standard_coal",
        "年消耗标准煤（当量值）",
        "Standard coal, calorific value",
        "标准煤（当量）",
        "Coal, calorific",
    ),
    _coal(
        "standard_coal_equivalent",
        "年消耗标准煤（等价值）",
        "Standard coal, equivalent value",
        "标准煤（等价）",
        "Coal, equivalent",
    ),
    Kpi(
        "networked_equipment",
        "联网关键设备数量",
        "Networked key equipment",
        "联网设备",
        "Networked",
        "count",
        "台",
        "units",
        1.0,
        0,
        "up",
    ),
    Kpi(
        "robots",
        "工业机器人使用量",
        "Robots",
        "机器人",
        "Robots",
        "count",
        "台",
        "units",
        1.0,
        0,
        "up",
    ),
    Kpi(
        "retrofitted_lines",
        "智能化改造主要产线数量",
        "Retrofitted lines",
        "改造产线",
        "Lines",
        "count",
        "条",
        "lines",
        1.0,
        0,
        "up",
    ),
    Kpi(
        "retrofitted_equipment",
        "智能化改造关键设备数量",
        "Retrofitted key equipment",
        "改造设备",
        "Retrofitted",
        "count",
        "台",
        "units",
        1.0,
        0,
        "up",
    ),
    Kpi(
        "headcount",
        "用工人数",
        "Headcount",
        "用工人数",
        "Headcount",
        "count",
        "人",
        "people",
        1.0,
        0,
        "down",
    ),
    Kpi(
        "rd_cycle",
        "产品研制周期",
        "Development cycle",
        "研制周期",
        "Development",
        "d",
        "天",
        "days",
        1.0,
        0,
        "down",
    ),
    _coal(
        "standard_coal_purchased",
        "外购能源折标准煤（不含自发可再生）",
        "Standard coal of purchases, without own renewables",
        "外购折标煤",
        "Coal, purchased",
    ),
    _coal(
        "standard_coal_with_media",
        "年消耗标准煤（含外购耗能工质）",
        "Standard coal with purchased media",
        "含耗能工质",
        "Coal with media",
    ),
    Kpi(
        "energy_intensity",
        "单位产出能耗（按标准工时）",
        "Energy for a standard hour of good output",
        "单位产出能耗",
        "Energy/output",
        "kgce/h",
        "千克标准煤/标准工时",
        "kgce/h",
        1.0,
        3,
        "down",
    ),
    Kpi(
        "energy_intensity_value",
        "单位产值能耗（可比价）",
        "Energy for output value at constant prices",
        "单位产值能耗",
        "Energy/value",
        "tce/10k yuan",
        "吨标准煤/万元",
        "tce/10k yuan",
        1.0,
        4,
        "down",
    ),
    Kpi(
        "energy_saving",
        "节能量（校准基准）",
        "Energy saved against the adjusted baseline",
        "节能量",
        "Saving",
        "tce",
        "吨标准煤",
        "tce",
        1.0,
        1,
        "up",
        True,
    ),
)

_BY_ID: dict[str, Kpi] = {kpi.kpi_id: kpi for kpi in KPIS}
_PLACE: dict[str, int] = {kpi.kpi_id: place for place, kpi in enumerate(KPIS)}


def known(kpi_id: str) -> bool:
    """Tell whether the table has this KPI."""
    return kpi_id in _BY_ID


def by_id(kpi_id: str) -> Kpi:
    """Return a KPI; raises KeyError for one that is not in the table."""
    return _BY_ID[kpi_id]


def ordered(kpi_ids: Iterable[str]) -> list[Kpi]:
    """Return the KPIs of the table that are among these, in the order of pages."""
    return [kpi for kpi in KPIS if kpi.kpi_id in set(kpi_ids)]


def place(kpi_id: str) -> int:
    """Return where pages list a KPI; one that is not in the table comes last."""
    return _PLACE.get(kpi_id, len(KPIS))
