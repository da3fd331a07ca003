"""What arrives from a factory and what is found of it, on days that the test names."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import store
from api.pool.workdays import ZONE
from store import batches
from store.canonical import Record
from tests.store.samples import Gateway, enrol

_DAY = timedelta(days=1)


@dataclass
class Feed:
    """One factory's data; its gateway is enrolled when it first sends."""

    conn: store.Connection
    factory_id: int
    factory: str = "sample"
    _gateway: Gateway | None = None

    def facts(self, first: date, end: date, share: float = 1.0) -> None:
        """Let every asset be heard of for a share of each hour of the local days [first, end)."""
        self.conn.execute(
            "INSERT INTO kpi.fact_hour (hour, asset_id, planned_s, planned_down_s, off_s, run_s,"
            " setup_s, stop_s, idle_s, unknown_s, known_s, uncounted_s, row_count, changes, flags,"
            " digest) SELECT h, a.asset_id, 3600, 0, 0, 3600, 0, 0, 0, 0, %s, 0, 1, 0, 0, 0"
            " FROM registry.asset a CROSS JOIN generate_series(%s::timestamptz,"
            " %s::timestamptz - INTERVAL '1 hour', '1 hour') h WHERE a.factory_id = %s"
            " ON CONFLICT (asset_id, hour) DO UPDATE SET known_s = excluded.known_s",
            (3600 * share, _midnight(first), _midnight(end), self.factory_id),
        )

    def heard(self, at: datetime) -> None:
        """Let the gateway send a batch that arrives at a time."""
        if self._gateway is None:
            self._gateway = enrol(self.conn, self.factory, f"gw-{self.factory}")
        seq = self._gateway.seq + 1
        self._gateway.seq = seq
        self.conn.execute(
            "INSERT INTO telemetry.batch (gateway_id, seq, config_version, imported, row_count,"
            " record_count, sha256, prev_sha256, signature, received_at)"
            " SELECT gateway_id, %s, 'v1', false, 0, 0, %s, %s, %s, %s FROM registry.gateway"
            " WHERE code = %s",
            (seq, bytes(32), bytes(32), bytes(64), at, self._gateway.code),
        )

    def send(self, records: tuple[Record, ...], at: datetime) -> None:
        """Let the gateway send records in a batch that arrives at a time."""
        assert self._gateway is not None, "it is heard of first"
        # What `heard` enters carries no hash.
        batch = self._gateway.batch(records=records, prev_sha256=bytes(32))
        batches.accept(self.conn, batch)
        self.conn.execute(
            "UPDATE telemetry.batch SET received_at = %s, sha256 = %s WHERE seq = %s"
            " AND gateway_id = (SELECT gateway_id FROM registry.gateway WHERE code = %s)",
            (at, bytes(32), batch.seq, batch.gateway),
        )

    def stop(self, first: date, last: date, filed: date) -> None:
        """File a stop of the whole factory over local days, both included."""
        self.conn.execute(
            "INSERT INTO registry.planned_stop (factory_id, starts_at, ends_at, reason, filed_at)"
            " VALUES (%s, %s, %s, '示例检修', %s)",
            (self.factory_id, _midnight(first), _midnight(last + _DAY), _midnight(filed)),
        )

    def verdict(
        self, kpi: str, end: date, fulfilment: str = "met", consistency: str = "unknown"
    ) -> int:
        """Judge the rolling year that ends before a day and return its figure's number."""
        start = date(end.year - 1, end.month, 1)
        row = self.conn.execute(
            "INSERT INTO kpi.figure (factory_id, kpi, period_kind, period_start, period_end,"
            " revision, unit, point, low, high, coverage, grade, method_version,"
            " coefficient_version, inputs, inputs_sha256) VALUES (%s, %s, 'rolling12', %s, %s,"
            " (SELECT count(*) + 1 FROM kpi.figure WHERE factory_id = %s AND kpi = %s"
            " AND period_start = %s), '1', 0.6, 0.6, 0.6, 1, 'A', 'v', 'v', '{}', '')"
            " RETURNING figure_id",
            (self.factory_id, kpi, start, end, self.factory_id, kpi, start),
        ).fetchone()
        assert row is not None
        reported = None if consistency == "unknown" else 0.9
        self.conn.execute(
            "INSERT INTO kpi.verdict (factory_id, kpi, period_start, period_end, figure_id,"
            " before_value, expected_value, reported_value, fulfilment_verdict, deviation,"
            " consistency_verdict) VALUES (%s, %s, %s, %s, %s, 0.65, 0.78, %s, %s, 0.5, %s)"
            " ON CONFLICT (factory_id, kpi, period_start) DO UPDATE SET"
            " figure_id = excluded.figure_id, fulfilment_verdict = excluded.fulfilment_verdict,"
            " consistency_verdict = excluded.consistency_verdict,"
            " reported_value = excluded.reported_value",
            (self.factory_id, kpi, start, end, row[0], reported, fulfilment, consistency),
        )
        return int(row[0])

    def report(self, kpi: str, end: date, on: date) -> None:
        """Let the factory report on the rolling year that ends before a day."""
        self.conn.execute(
            "INSERT INTO pool.self_report VALUES (%s, %s, %s, %s, 0.9, %s)",
            (self.factory_id, kpi, date(end.year - 1, end.month, 1), end, _midnight(on)),
        )

    def finding(self, rule: str, month: date, on: date, severity: str = "fail") -> int:
        """Let a check of plausibility find something in a month."""
        row = self.conn.execute(
            "INSERT INTO kpi.finding (factory_id, period_start, period_end, rule, rule_version,"
            " severity, subject, measured, unit, message, shown, shown_count, checked_until,"
            " found_at) VALUES (%s, %s, %s::date + INTERVAL '1 month', %s, 'v', %s, 's', 1, '1',"
            " 'm', '[]', 0, %s, %s) RETURNING finding_id",
            (self.factory_id, month, month, rule, severity, _midnight(on), _midnight(on)),
        ).fetchone()
        assert row is not None
        return int(row[0])

    def finding_cleared(self, finding_id: int, on: date) -> None:
        """Let a later check not find it any more."""
        self.conn.execute(
            "UPDATE kpi.finding SET cleared_at = %s WHERE finding_id = %s",
            (_midnight(on), finding_id),
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)
