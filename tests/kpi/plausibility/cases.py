"""Cases for the tests of the rules: a week of a small factory, told as a person would."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from kpi.calendar import from_us
from kpi.facts.basis import HOUR_US, Columns, Samples
from kpi.plausibility import Case, check_rule
from kpi.plausibility.basis import DAY_US, MINUTE_US
from store.facts import FACT_COLUMNS
from store.findings import Delivered, NewFinding
from store.records import StoredRecord
from tests.kpi.builders import STATES, asset, monitoring_plan, tag

# Monday, 2 March 2026, midnight in Shanghai.
DAY_0_US = 1_772_380_800_000_000
DAYS = 7
QUARTER_US = 15 * MINUTE_US


def quarters(
    value: Any, days: float = DAYS, *, start_day: float = 0, step_min: float = 15
) -> Samples:
    """Return a row every so many minutes; a value, or a function of the row's number."""
    count = round(days * 24 * 60 / step_min)
    number = np.arange(count)
    at_us = DAY_0_US + round(start_day * DAY_US) + np.round(number * step_min * MINUTE_US)
    found = value(number) if callable(value) else value
    return Samples(at_us.astype(np.int64), np.broadcast_to(found, count).astype(np.float64))


def noise(count: int, seed: int = 1) -> np.ndarray:
    """Return numbers of 0…1 that look random, the same in every run."""
    return np.random.default_rng(seed).random(count)


def hours(days: int = DAYS, **columns: Any) -> Columns:
    """Return hour facts with some columns; the others are 0, quantities that were not given NaN."""
    count = days * 24
    found: Columns = {"hour_us": DAY_0_US + HOUR_US * np.arange(count)}
    quantities = ("total", "good", "reject", "ideal", "energy")
    for name, kind in FACT_COLUMNS.items():
        empty = np.nan if name.startswith(quantities) else 0
        given = np.broadcast_to(columns.get(name, empty), count)
        found[name] = given.astype(kind if kind != "i4" else np.int64).copy()
    return found


def case(
    *,
    assets: Sequence[Any] = (),
    tags: Sequence[Any] = (),
    days: int = DAYS,
    plan: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Case:
    """Return a case of some days from Monday, 2 March 2026 on."""
    monitoring = monitoring_plan(
        assets=assets or (asset(1, in_oee=True),), tags=tags or (tag(1),), **(plan or {})
    )
    monitoring.state_maps["cnc"] = dict(STATES)
    return Case(monitoring, DAY_0_US, DAY_0_US + days * DAY_US, **fields)


def meter(asset_id: int = 1, level: int = 1, **fields: Any) -> Any:
    """Return an electricity meter."""
    return asset(asset_id, "meter", carrier="electricity", unit="kWh", level=level, **fields)


def at(day: float) -> datetime:
    """Return a moment so many days after the case begins."""
    return from_us(DAY_0_US + round(day * DAY_US))


def batch(seq: int = 1, **fields: Any) -> Delivered:
    """Return a batch of the first day that arrived at once, from a right clock."""
    given: dict[str, Any] = {
        "gateway": "gw",
        "imported": False,
        "row_count": 100,
        "first_ts": at(0.5),
        "last_ts": at(0.6),
        "received_at": at(0.6) + timedelta(seconds=5),
        "clock_skew_s": 0.1,
        "collected_to": at(0.6) + timedelta(seconds=1),
    }
    return Delivered(seq=seq, **given | fields)


def record(key: str, body: Mapping[str, Any], day: float = 1) -> StoredRecord:
    """Return the newest version of a record."""
    return StoredRecord(key, 1, at(day), dict(body))


def severities(rule: str, given: Case) -> set[str]:
    """Return the severities that a rule gives a case."""
    return {finding.severity for finding in check_rule(rule, given)}


def one(rule: str, given: Case) -> NewFinding:
    """Return the only finding of a rule."""
    (found,) = check_rule(rule, given)
    return found


def reason(rule: str, given: Case) -> str:
    """Return why a rule does not apply."""
    found = one(rule, given)
    assert found.severity == "not_applicable"
    assert found.measured is None
    return found.message
