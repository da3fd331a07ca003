"""A tiny factory in a real database: two machines, a meter and a business system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np

import store
from kpi import jobs
from store import batches, plans
from store.canonical import Record, Rows, unique_sorted
from tests.store.samples import Gateway, enrol, micros

CHINA = timezone(timedelta(hours=8))
IDLE, RUN = 0, 1
# A row a day is enough to be heard of; rows of the past need not be many.
LINK_HEARTBEAT_S = 86_400

Readings = Mapping[str, Sequence[tuple[datetime, float]]]


def china(text: str) -> datetime:
    """Return a moment of local time, such as 2026-03-02 08:00."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def _tag(name: str, role: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "role": role, "unit": "1", "heartbeat_s": 900, **fields}


def _machine(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "name_zh": f"示例机床 {code}",
        "name_en": f"Sample machine {code}",
        "kind": "machine",
        "serial": f"SN-{code}",
        "key_equipment": True,
        "in_oee": True,
        "ideal_cycles": [{"product": 1, "name": "轴套A", "cycle_s": 60.0, "source": "design"}],
        "tags": [
            _tag(f"{code}.state", "state", state_map="cnc"),
            _tag(f"{code}.total", "total_count", modulus=4294967296, max_rate_per_s=0.1),
            _tag(f"{code}.reject", "reject_count", modulus=4294967296, max_rate_per_s=0.1),
        ],
    }


def sample_plan(code: str = "sample") -> dict[str, Any]:
    """Return the plan; change it freely."""
    return {
        "factory": {
            "code": code,
            "name_zh": "示例工厂",
            "name_en": "Sample plant",
            "kind": "discrete",
            "region": "320613",
            "timezone": "Asia/Shanghai",
            "baseline": ["2025-01-01", "2026-01-01"],
            "renovated_on": "2026-01-01",
        },
        "enterprise": {
            "credit_code": None,
            "name_zh": f"示例企业 {code}",
            "name_en": f"Sample enterprise {code}",
        },
        "state_maps": {"cnc": {"0": "idle", "1": "run", "2": "setup", "3": "stop"}},
        "assets": [
            _machine("M01"),
            _machine("M02"),
            {
                "code": "EM01",
                "name_zh": "示例电表",
                "name_en": "Sample meter",
                "kind": "meter",
                "meter": {"carrier": "electricity", "unit": "kWh", "level": 1},
                "tags": [_tag("EM01.energy", "energy", max_rate_per_s=0.1)],
            },
            {
                "code": "ERP",
                "name_zh": "示例系统",
                "name_en": "Sample system",
                "kind": "system",
                "tags": [_tag("ERP.link", "link", heartbeat_s=LINK_HEARTBEAT_S)],
            },
        ],
        "shifts": [
            {"weekday": weekday, "name": "早班", "starts": "08:00", "duration_s": 28_800}
            for weekday in range(1, 8)
        ],
        "promises": [
            {"kpi": "defect_rate", "before": 0.1, "basis": "declared", "expected": 0.04},
        ],
        "self_reports": [],
    }


@dataclass
class Plant:
    """A factory whose plan is loaded, and the gateway that sends what happens in it."""

    url: str
    conn: store.Connection
    factory_id: int
    gateway: Gateway

    @staticmethod
    def load(conn: store.Connection, url: str, plan: dict[str, Any] | None = None) -> "Plant":
        """Load a plan and enrol its gateway."""
        plan = plan or sample_plan()
        code = plan["factory"]["code"]
        factory_id = plans.load_plan(conn, plan)
        return Plant(url, conn, factory_id, enrol(conn, code, f"gw-{code}"))

    def send(self, readings: Readings) -> None:
        """Send rows in one batch, for each tag as (time, value)."""
        batches.accept(self.conn, self.gateway.batch(self.rows(readings)))

    def rows(self, readings: Readings) -> Rows:
        """Return rows as a batch holds them."""
        flat = [
            (self.gateway.tags[name], micros(at), value)
            for name, each in readings.items()
            for at, value in each
        ]
        found = Rows(
            np.array([row[0] for row in flat], np.int32),
            np.array([row[1] for row in flat], np.int64),
            np.array([row[2] for row in flat], np.float64),
            np.zeros(len(flat), np.int32),
        )
        return unique_sorted(found)[0]

    def tell(self, *records: Record) -> None:
        """Send records in one batch."""
        batches.accept(self.conn, self.gateway.batch(records=records))

    def facts(self, now: datetime) -> int:
        """Run the fact job."""
        return jobs.run_facts(self.url, now)

    def figures(self, now: datetime) -> int:
        """Run the figure job."""
        return jobs.run_figures(self.url, now)

    def refresh(self, now: datetime) -> None:
        """Run both jobs."""
        self.facts(now)
        self.figures(now)

    def fact_rows(self) -> list[tuple[Any, ...]]:
        """Return all facts."""
        return self.conn.execute("SELECT * FROM kpi.fact_hour ORDER BY asset_id, hour").fetchall()

    def fact_versions(self) -> dict[tuple[str, datetime], str]:
        """Return which transaction wrote each fact, by asset and local hour."""
        rows = self.conn.execute(
            "SELECT a.code, h.hour, h.xmin::text FROM kpi.fact_hour h"
            " JOIN registry.asset a USING (asset_id)"
        )
        return {(code, hour.astimezone(CHINA)): version for code, hour, version in rows}

    def dirty(self) -> dict[tuple[str, datetime], int]:
        """Return the marks of hours, by asset and local hour, with how many hours they cover."""
        rows = self.conn.execute(
            "SELECT a.code, d.hour, d.hours FROM kpi.dirty_hour d"
            " JOIN registry.asset a USING (asset_id)"
        )
        return {(code, hour.astimezone(CHINA)): hours for code, hour, hours in rows}

    def mark_everything(self) -> None:
        """Forget all facts and mark every hour that has a row."""
        self.conn.execute("TRUNCATE kpi.fact_hour")
        self.conn.execute(
            "INSERT INTO kpi.dirty_hour (asset_id, hour)"
            " SELECT DISTINCT t.asset_id, date_trunc('hour', m.ts)"
            " FROM telemetry.measurement m JOIN registry.tag t USING (tag_id)"
        )


def every(
    minutes: float, start: datetime, end: datetime, value: float = RUN, gain: float = 0
) -> list[tuple[datetime, float]]:
    """Return (time, value) every so many minutes of [start, end), rising by a gain each time."""
    step = timedelta(minutes=minutes)
    count = -((start - end) // step)
    return [(start + number * step, value + number * gain) for number in range(count)]


def machine_day(code: str, day: str, per_quarter: float = 10.0, begin: float = 0) -> Readings:
    """Return a day of a machine that makes so many pieces each quarter of an hour of its shift.

    One in ten is rejected.
    """
    start = china(f"{day} 00:00")
    quarters = [start + timedelta(minutes=15 * number) for number in range(96)]
    done = [min(max(number - 32, 0), 32) for number in range(96)]
    return {
        f"{code}.state": [(at, RUN) for at in quarters],
        f"{code}.total": [
            (at, begin + n * per_quarter) for at, n in zip(quarters, done, strict=True)
        ],
        f"{code}.reject": [
            (at, n * per_quarter / 10) for at, n in zip(quarters, done, strict=True)
        ],
    }


def lot(day: str, defective: int, key: str = "L", **fields: Any) -> Record:
    """Return a finally inspected lot of 100."""
    at = china(f"{day} 12:00")
    body = {
        "operation": "final",
        "total": 100,
        "passed_first": 100 - defective,
        "scrap": defective,
        "rework": 0,
    }
    return Record("inspection", f"{day}-{key}", at, {**body, **fields})


def balance(day: str, category: str, value_yuan: float) -> Record:
    """Return the stock of a category at the end of a day."""
    body = {"day": day, "category": category, "value_yuan": value_yuan}
    return Record("stock_balance", f"{day}:{category}", china(f"{day} 00:00"), body)


def heard(first: date, end: date) -> Readings:
    """Return a row a day of the business system's link."""
    start = datetime(first.year, first.month, first.day, tzinfo=CHINA)
    return {
        "ERP.link": [(start + timedelta(days=number), 1.0) for number in range((end - first).days)]
    }
