"""A sample factory with two machines, and gateways that sign batches as real ones do."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

import store
from store import batches, plans, registry, signing
from store.canonical import FIRST_PREVIOUS, Record, Rows, canonical_bytes, chain_hash

START = datetime(2026, 3, 1, tzinfo=UTC)
BAD = -(2**31)  # OPC UA StatusCode Bad, its 32 bits read as a signed integer

_TAGS = [
    {"name": "state", "role": "state", "unit": "1", "heartbeat_s": 900, "state_map": "cnc"},
    {"name": "total", "role": "total_count", "unit": "1", "heartbeat_s": 900},
    {"name": "power", "role": "power", "unit": "kW", "heartbeat_s": 60},
]

_PLAN: dict[str, Any] = {
    "factory": {
        "code": "sample",
        "name_zh": "示例工厂",
        "name_en": "Sample plant",
        "kind": "discrete",
        "region": "320613",
        "timezone": "Asia/Shanghai",
        "baseline": ["2024-11-01", "2025-11-01"],
        "renovated_on": "2025-11-01",
    },
    "enterprise": {"credit_code": None, "name_zh": "示例企业", "name_en": "Sample enterprise"},
    "state_maps": {"cnc": {"0": "idle", "1": "run", "2": "setup", "3": "stop"}},
    "assets": [],
    "energy_factors": [{"carrier": "natural_gas", "kgce_per_unit": 1.2143, "source": "sample"}],
    "shifts": [
        {"weekday": 1, "name": "早班", "starts": "08:00", "duration_s": 28800},
        {"weekday": 1, "name": "夜班", "starts": "20:00", "duration_s": 43200},
    ],
    "holidays": [{"day": "2025-10-01", "name": "国庆"}],
    "planned_stops": [
        {
            "asset": "M01",
            "starts_at": "2026-03-02T08:00:00+08:00",
            "ends_at": "2026-03-02T10:00:00+08:00",
            "reason": "maintenance",
            "filed_at": "2026-03-01T08:00:00+08:00",
        }
    ],
    "promises": [{"kpi": "oee", "before": 0.61, "basis": "declared", "expected": 0.78}],
    "self_reports": [
        {
            "kpi": "oee",
            "period": ["2025-11-01", "2026-11-01"],
            "value": 0.775,
            "reported_at": "2026-11-01T09:00:00+08:00",
        }
    ],
}


def sample_plan(code: str = "sample", machines: int = 2) -> dict[str, Any]:
    """Return a plan that fits the contract; change it freely."""
    plan = deepcopy(_PLAN)
    plan["factory"]["code"] = code
    plan["enterprise"]["name_zh"] = f"示例企业 {code}"
    for number in range(1, machines + 1):
        machine = f"M{number:02}"
        plan["assets"].append(
            {
                "code": machine,
                "name_zh": f"示例机床{number}",
                "name_en": f"Sample machine {number}",
                "kind": "machine",
                "line": "L1",
                "serial": None,
                "key_equipment": True,
                "in_oee": True,
                "ideal_cycles": [
                    {"product": 1, "name": "轴套A", "cycle_s": 84.0, "source": "design"}
                ],
                "tags": [{**tag, "name": f"{machine}.{tag['name']}"} for tag in _TAGS],
            }
        )
    return plan


@dataclass
class Gateway:
    """Cuts, signs and chains batches; `tags` are the numbers of its factory's tags by name."""

    code: str
    seed: bytes
    tags: dict[str, int]
    seq: int = 0
    previous: bytes = field(default=FIRST_PREVIOUS)

    def batch(
        self, rows: Rows | None = None, records: tuple[Record, ...] = (), **changed: Any
    ) -> batches.Batch:
        """Return the next batch of the chain, or one that differs from it in some fields."""
        rows = Rows.empty() if rows is None else rows
        previous = changed.get("prev_sha256", self.previous)
        sha256 = chain_hash(previous, canonical_bytes(rows, records))
        fields: dict[str, Any] = {
            "gateway": self.code,
            "seq": self.seq + 1,
            "config_version": "v1",
            "rows": rows,
            "records": records,
            "prev_sha256": previous,
            "sha256": sha256,
            "signature": signing.sign(self.seed, sha256),
        }
        made = batches.Batch(**fields | changed)
        self.seq, self.previous = made.seq, made.sha256
        return made


def enrol(conn: store.Connection, factory: str = "sample", code: str = "gw-sample") -> Gateway:
    """Enrol a gateway with a new key at a factory whose plan is loaded."""
    seed = signing.generate_key()
    registry.register_gateway(conn, factory, code, signing.public_key(seed))
    return Gateway(code, seed, registry.gateway_tags(conn, code))


def with_plan(conn: store.Connection, code: str = "sample", machines: int = 2) -> int:
    """Load a sample plan and return the factory's number."""
    return plans.load_plan(conn, sample_plan(code, machines))


def rows_of(
    tag_ids: list[int], count: int = 10, start: datetime = START, step: timedelta | None = None
) -> Rows:
    """Return `count` rows a tag from a time on, ordered; the value is the row's place."""
    step_us = (step or timedelta(minutes=1)) // timedelta(microseconds=1)
    first_us = micros(start)
    size = len(tag_ids) * count
    return Rows(
        np.repeat(np.array(sorted(tag_ids), np.int32), count),
        np.tile(first_us + step_us * np.arange(count, dtype=np.int64), len(tag_ids)),
        np.arange(size, dtype=np.float64),
        np.zeros(size, np.int32),
    )


def one_row(tag_id: int, at: datetime, value: float, status: int = 0) -> Rows:
    """Return a single row."""
    return Rows(
        np.array([tag_id], np.int32),
        np.array([micros(at)], np.int64),
        np.array([value]),
        np.array([status], np.int32),
    )


def micros(at: datetime) -> int:
    """Return microseconds since 1970 UTC."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def stored(conn: store.Connection) -> list[tuple[Any, ...]]:
    """Return all measurement rows as (tag_id, ts, value, status, batch_id), ordered."""
    return conn.execute(
        "SELECT tag_id, ts, value, status, batch_id FROM telemetry.measurement ORDER BY 1, 2"
    ).fetchall()


def count(conn: store.Connection, table: str) -> int:
    """Return how many rows a table has."""
    row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def findings(conn: store.Connection) -> list[tuple[str, dict[str, Any]]]:
    """Return the findings as (rule, detail), oldest first."""
    rows = conn.execute("SELECT rule, detail FROM telemetry.finding ORDER BY finding_id")
    return [(rule, detail) for rule, detail in rows]
