"""A small pool, stored through the same functions that the real jobs use.

SAMPLE-1 has every KPI, every verdict word but one, a month without a figure, a revised month and
live rows. The others fill the overview: one promise each or more, in other counties. SAMPLE-9 has
a plan only.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

import store.batches
import store.figures
import store.plans
import store.registry
from kpi.reasons import because
from store import Connection
from store.batches import Batch
from store.canonical import FIRST_PREVIOUS, Rows, canonical_bytes, chain_hash
from store.figures import NewFigure, NewVerdict, PeriodKind
from store.signing import generate_key, public_key, sign

BASELINE = (date(2024, 11, 1), date(2025, 11, 1))
YEAR = (date(2025, 11, 1), date(2026, 11, 1))
EARLIER_YEAR = (date(2025, 10, 1), date(2026, 10, 1))
GAP = date(2025, 7, 1)
UNITS = {
    "inventory_turnover": "turns",
    "standard_coal": "tce",
    "standard_coal_equivalent": "tce",
    "networked_equipment": "count",
}


@dataclass(frozen=True)
class Case:
    """One KPI of a sample factory: what was promised, reported, verified and judged."""

    kpi: str
    before: float | None
    basis: str
    expected: float | None
    reported: float | None
    verified: tuple[float, float, float] | None
    grade: str
    fulfilment: tuple[float, float, float] | None
    word: str
    truth: str


FULL = (
    Case("oee", 0.61, "documented", 0.78, 0.775, (0.746, 0.741, 0.756), "A", (0.8, 0.77, 0.86),
         "partly", "off"),
    Case("availability", None, "declared", None, None, (0.861, 0.855, 0.87), "A", None,
         "unknown", "unknown"),
    Case("defect_rate", 0.024, "measured", 0.012, 0.0106, (0.0105, 0.0101, 0.0107), "A",
         (1.125, 1.108, 1.158), "over", "same"),
    Case("inventory_turnover", 4.2, "documented", 6.0, 5.88, (4.52, 4.31, 4.74), "B",
         (0.178, 0.061, 0.3), "missed", "false"),
    Case("on_time_delivery", 0.88, "declared", 0.97, 0.97, (0.974, 0.969, 0.979), "A",
         (1.044, 0.989, 1.1), "met", "same"),
    Case("standard_coal", 5200.0, "measured", 4700.0, 5240.0, (5320.0, 5250.0, 5390.0), "B",
         (-0.24, -0.38, -0.1), "worse", "same"),
    Case("standard_coal_equivalent", 12100.0, "measured", 10900.0, 10950.0, None, "D", None,
         "unknown", "unknown"),
    Case("networked_equipment", 2.0, "declared", 12.0, None, (22.0, 22.0, 22.0), "A",
         (2.0, 2.0, 2.0), "over", "unknown"),
)  # fmt: skip


def simple(kpi: str, word: str, truth: str = "same") -> Case:
    """Return a case that only the overview shows."""
    return Case(kpi, 0.5, "declared", 0.7, 0.7, (0.7, 0.69, 0.71), "A", (1.0, 0.95, 1.05),
                word, truth)  # fmt: skip


FACTORIES: tuple[tuple[str, str, str, str, str, tuple[Case, ...]], ...] = (
    ("SAMPLE-1", "320613", "一号工厂", "Plant 1", "discrete", FULL),
    ("SAMPLE-2", "320685", "纺织二厂", "Textile plant 2", "process",
     (simple("oee", "met"), simple("defect_rate", "met"), simple("on_time_delivery", "over"),
      simple("standard_coal", "met"))),
    ("SAMPLE-3", "320682", "海工总装厂", "Offshore assembly", "discrete",
     (simple("oee", "partly"), simple("defect_rate", "met", "off"),
      simple("on_time_delivery", "unknown", "unknown"))),
    ("SAMPLE-4", "320613", "电子元件厂", "Electronics plant", "discrete",
     (simple("oee", "met"), simple("defect_rate", "over"),
      simple("inventory_turnover", "met", "false"))),
    ("SAMPLE-5", "320681", "成套设备厂", "Switchgear plant", "discrete",
     (simple("oee", "missed"), simple("on_time_delivery", "worse"))),
    ("SAMPLE-9", "320671", "新入库工厂", "New plant", "process", ()),
)  # fmt: skip


def load(conn: Connection) -> None:
    """Store the whole sample pool."""
    for code, region, zh, en, kind, cases in FACTORIES:
        factory_id = store.plans.load_plan(conn, plan(code, region, zh, en, kind, cases))
        for case in cases:
            judge(conn, factory_id, case, YEAR)
    first = store.registry.factory_by_code(conn, "SAMPLE-1")
    judge(conn, first.factory_id, FULL[0], EARLIER_YEAR, word="missed")
    _load_months(conn, first.factory_id)
    _load_rows(conn)


def plan(
    code: str, region: str, zh: str, en: str, kind: str, cases: tuple[Case, ...]
) -> dict[str, Any]:
    """Return the monitoring plan of a sample factory with one machine and one meter."""
    promised = [case for case in cases if case.expected is not None]
    return {
        "factory": {
            "code": code,
            "name_zh": f"示例{zh}",
            "name_en": f"Sample {en}",
            "kind": kind,
            "region": region,
            "timezone": "Asia/Shanghai",
            "baseline": [str(day) for day in BASELINE],
            "renovated_on": str(YEAR[0]),
        },
        "enterprise": {
            "credit_code": None,
            "name_zh": f"示例{zh}有限公司",
            "name_en": f"Sample {en} Company",
        },
        "state_maps": {"cnc": {"0": "idle", "1": "run", "3": "stop"}},
        "assets": [
            {
                "code": "M01", "name_zh": "一号车床", "name_en": "Lathe 1", "kind": "machine",
                "line": "L1", "serial": None, "key_equipment": True, "in_oee": True,
                "ideal_cycles": [],
                "tags": [
                    {"name": "M01.state", "role": "state", "unit": "1", "heartbeat_s": 900,
                     "state_map": "cnc"},
                    {"name": "M01.total", "role": "total_count", "unit": "1", "heartbeat_s": 900},
                    {"name": "M01.spindle", "role": "process", "unit": "kW", "heartbeat_s": 900},
                ],
            },
            {
                "code": "EM01", "name_zh": "总电表", "name_en": "Main meter", "kind": "meter",
                "line": None, "serial": None, "key_equipment": False, "in_oee": False,
                "meter": {"carrier": "electricity", "unit": "kWh", "level": 1},
                "tags": [
                    {"name": "EM01.energy", "role": "energy", "unit": "kWh", "heartbeat_s": 900},
                    {"name": "EM01.power", "role": "power", "unit": "kW", "heartbeat_s": 900},
                ],
            },
        ],
        "shifts": [],
        "promises": [
            {"kpi": case.kpi, "before": case.before, "basis": case.basis, "expected": case.expected}
            for case in promised
        ],
        "self_reports": [
            {"kpi": case.kpi, "period": [str(day) for day in YEAR], "value": case.reported,
             "reported_at": "2026-11-10T09:00:00+08:00"}
            for case in cases if case.reported is not None
        ],
    }  # fmt: skip


def figure(
    factory_id: int,
    kpi: str,
    kind: PeriodKind,
    period: tuple[date, date],
    value: tuple[float, float, float] | None,
    *,
    grade: str = "A",
    coverage: float | None = None,
) -> NewFigure:
    """Return a figure whose inputs are named by its own value."""
    point, low, high = value or (None, None, None)
    inputs: dict[str, Any] = {"point": point}
    if kpi == "oee":
        inputs["key_equipment"] = {"share": 0.75, "left_out": ["R01", "R02"]}
    return NewFigure(
        factory_id=factory_id,
        kpi=kpi,
        period_kind=kind,
        period_start=period[0],
        period_end=period[1],
        unit=UNITS.get(kpi, "1"),
        point=point,
        low=low,
        high=high,
        coverage={"A": 0.982, "B": 0.917, "C": 0.8, "D": 0.612}[grade]
        if coverage is None
        else coverage,
        grade=grade,
        reason=None if value else because("coverage", coverage=0.612).stored,
        method_version="2026.1",
        coefficient_version="2026.1",
        inputs=inputs,
        inputs_sha256=hashlib.sha256(repr(inputs).encode()).digest(),
    )


def judge(
    conn: Connection,
    factory_id: int,
    case: Case,
    year: tuple[date, date],
    *,
    word: str | None = None,
) -> None:
    """Publish the figure of a rolling year and decide on it."""
    made = figure(factory_id, case.kpi, "rolling12", year, case.verified, grade=case.grade)
    figure_id = store.figures.publish(conn, made, is_open=False)
    share, low, high = case.fulfilment or (None, None, None)
    deviation = None
    if case.reported is not None and case.verified is not None:
        deviation = (case.reported - case.verified[0]) / case.verified[0]
    verdict = NewVerdict(
        factory_id=factory_id,
        kpi=case.kpi,
        period_start=year[0],
        period_end=year[1],
        figure_id=figure_id,
        before_value=case.before,
        before_basis=case.basis if case.expected is not None else None,
        expected_value=case.expected,
        reported_value=case.reported,
        fulfilment=share,
        fulfilment_low=low,
        fulfilment_high=high,
        fulfilment_verdict=word or case.word,
        deviation=deviation,
        consistency_verdict=case.truth,
        policy_version="2026.1",
        reasons=[],
    )
    store.figures.decide(conn, verdict)


def months() -> list[tuple[date, date]]:
    """Return the 25 months from the baseline's start; the last has not ended."""
    starts = [date(2024 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(26)]
    return list(pairwise(starts))


def _load_months(conn: Connection, factory_id: int) -> None:
    for place, month in enumerate(months()):
        level = 0.612 if month[0] < YEAR[0] else 0.748
        point = level + 0.011 * ((place * 7) % 5 - 2)
        value = None if month[0] == GAP else (point, point - 0.008, point + 0.012)
        grade = "A" if value else "D"
        for kpi in ("oee", "defect_rate"):
            made = figure(factory_id, kpi, "month", month, value, grade=grade)
            store.figures.publish(conn, made, is_open=place == 24)
    revised = figure(factory_id, "oee", "month", months()[20], (0.751, 0.748, 0.755))
    store.figures.publish(conn, revised, is_open=False)


def _load_rows(conn: Connection) -> None:
    seed = generate_key()
    store.registry.register_gateway(conn, "SAMPLE-1", "gw-sample-1", public_key(seed))
    tags = store.registry.gateway_tags(conn, "gw-sample-1")
    now = datetime.now(UTC)
    found = sorted(
        [
            (tags["M01.state"], now - timedelta(seconds=20), 1.0, 0),
            (tags["M01.total"], now - timedelta(seconds=20), 1_204_331.0, 0),
            (tags["EM01.energy"], now - timedelta(hours=3), 88_120.25, 0),
            (tags["EM01.power"], now - timedelta(seconds=5), np.nan, -2146762752),
        ]
    )
    rows = Rows(
        np.array([row[0] for row in found], np.int32),
        np.array([int(row[1].timestamp() * 1e6) for row in found], np.int64),
        np.array([row[2] for row in found]),
        np.array([row[3] for row in found], np.int32),
    )
    sha256 = chain_hash(FIRST_PREVIOUS, canonical_bytes(rows))
    batch = Batch(
        gateway="gw-sample-1",
        seq=1,
        config_version="1",
        rows=rows,
        records=(),
        prev_sha256=FIRST_PREVIOUS,
        sha256=sha256,
        signature=sign(seed, sha256),
    )
    store.batches.accept(conn, batch)
