"""Sample figures, verdicts and promises, as the store gives them."""

from datetime import UTC, date, datetime
from typing import Any

from deploy.demo.outcome import Compared, Row
from store.figures import Figure, Promise, Verdict
from store.registry import Factory

YEAR = date(2025, 3, 1), date(2026, 3, 1)
_NOW = datetime(2026, 3, 10, tzinfo=UTC)

FACTORY = Factory(
    factory_id=1,
    code="SAMPLE",
    name_zh="示例精密机械有限公司一号工厂",
    name_en="Sample Precision Machinery, plant 1",
    enterprise_zh="示例精密机械有限公司",
    enterprise_en="Sample Precision Machinery",
    region_code="320613",
    region_zh="崇川区",
    region_en="Chongchuan",
    kind="discrete",
    timezone="Asia/Shanghai",
    baseline_from=date(2024, 3, 1),
    baseline_to=YEAR[0],
    renovated_on=YEAR[0],
)


def figure(kpi: str = "oee", unit: str = "1", point: float | None = 0.8, **changed: Any) -> Figure:
    """Return a figure of one year; its bounds are its point unless they are given."""
    fields: dict[str, Any] = {
        "figure_id": 1,
        "factory_id": FACTORY.factory_id,
        "kpi": kpi,
        "period_kind": "rolling12",
        "period_start": YEAR[0],
        "period_end": YEAR[1],
        "revision": 1,
        "unit": unit,
        "point": point,
        "low": point,
        "high": point,
        "coverage": 0.999,
        "grade": "A",
        "reason": None,
        "method_version": "1",
        "coefficient_version": "1",
        "inputs": {},
        "inputs_sha256": b"",
        "computed_at": _NOW,
    }
    return Figure(**(fields | changed))


def compared(found: Figure, truth: float | None) -> Compared:
    """Return a figure of the sample factory beside the truth."""
    return Compared(FACTORY, found, truth)


def row(found: Figure, truth: float, fulfilment: str, consistency: str) -> Row:
    """Return a line of the demo's table with both verdicts."""
    verdict = Verdict(
        factory_id=FACTORY.factory_id,
        kpi=found.kpi,
        period_start=found.period_start,
        period_end=found.period_end,
        figure_id=found.figure_id,
        before_value=0.6,
        before_basis="measured",
        expected_value=0.9,
        reported_value=0.95,
        fulfilment=0.67,
        fulfilment_low=0.66,
        fulfilment_high=0.68,
        fulfilment_verdict=fulfilment,
        deviation=0.188,
        consistency_verdict=consistency,
        policy_version="2026.1",
        reasons=[],
        decided_at=_NOW,
    )
    return Row(compared(found, truth), verdict, Promise(found.kpi, 0.6, "measured", 0.9))
