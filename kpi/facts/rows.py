"""Row facts: how many rows lie under an hour, how often a value changed, and their fingerprint."""

import numpy as np
import numpy.typing as npt

from kpi.facts.basis import AssetPlan, Columns, Window
from store.canonical import Rows


def row_facts(plan: AssetPlan, rows: Rows, window: Window) -> Columns:
    """Return row count, changes of value, and an order-free sum of row fingerprints.

    A value that is the same before and after bad rows has not changed.
    """
    rows = rows.take(np.isin(rows.tag_id, [tag.tag_id for tag in plan.tags]))
    inside = rows.take((rows.ts_us >= window.start_us) & (rows.ts_us < window.end_us))
    hour = window.hour_of(inside.ts_us)
    digest = np.zeros(window.hours, np.uint64)
    np.add.at(digest, hour, fingerprint(inside))
    return {
        "row_count": np.bincount(hour, minlength=window.hours),
        "changes": _changes(rows, window),
        "digest": digest.view(np.int64),
    }


def _changes(rows: Rows, window: Window) -> npt.NDArray[np.int64]:
    good = rows.take((rows.status >= 0) & ~np.isnan(rows.value))
    changed = np.zeros(len(good), np.bool_)
    changed[1:] = (np.diff(good.tag_id) == 0) & (np.diff(good.value) != 0)
    changed &= (good.ts_us >= window.start_us) & (good.ts_us < window.end_us)
    return np.bincount(window.hour_of(good.ts_us[changed]), minlength=window.hours)


def fingerprint(rows: Rows) -> npt.NDArray[np.uint64]:
    """Mix each row to 64 bits (the finaliser of SplitMix64), so that sums tell rows apart."""
    value = np.where(np.isnan(rows.value), np.nan, rows.value).view(np.uint64)
    mixed = rows.ts_us.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for part in (
        value,
        rows.tag_id.astype(np.uint64),
        rows.status.view(np.uint32).astype(np.uint64),
    ):
        mixed = _mix(mixed ^ part)
    return mixed


def _mix(word: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
