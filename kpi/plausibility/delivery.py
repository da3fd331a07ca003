"""Rules on how data arrive: completeness, intervals, day boundaries, lateness, clocks."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from statistics import median

import numpy as np

from kpi.calendar import from_us, to_us
from kpi.facts.basis import FLAG_BRIDGED, HOUR_US
from kpi.plausibility.basis import (
    Case,
    Measured,
    NotApplicable,
    Severity,
    hour_spans,
    of_batch,
    spans,
)
from store.findings import Delivered

_COUNTED = ("state", "total_count", "good_count", "reject_count", "rework_count", "energy")
_LEAST_RUN = 20
_OLD = timedelta(days=1)


def completeness(case: Case) -> Iterator[Measured]:
    """Q01: share of heartbeats of a tag's worst day in which a good row came [1]."""
    edges = case.day_edges
    if case.day_count == 0:
        raise NotApplicable("no_whole_day")
    for tag in case.plan.tags:
        if tag.role not in _COUNTED:
            continue
        found = case.samples.get(tag.tag_id)
        good = np.empty(0, np.int64) if found is None else found.good().t_us
        slot_us = tag.heartbeat_s * 1_000_000
        slots = np.unique(good // slot_us) * slot_us
        filled = np.diff(np.searchsorted(slots, edges))
        share = np.minimum(filled / np.maximum(np.diff(edges) / slot_us, 1), 1.0)
        short = np.flatnonzero(share < 0.9)
        shown = spans(edges[short], edges[short + 1])
        yield Measured(tag.name, float(share.min()), tag.asset_id, tag.tag_id, shown)


def sampling_interval(case: Case) -> Iterator[Measured]:
    """Q02: median time between the rows of a meter's register [s]."""
    for tag, found in case.tags("energy"):
        if len(found.t_us) > 2:
            step_us = np.diff(found.t_us)
            wide = np.flatnonzero(step_us > 3600e6)
            shown = spans(found.t_us[wide], found.t_us[wide + 1])
            yield Measured(
                tag.name, float(np.median(step_us)) / 1e6, tag.asset_id, tag.tag_id, shown
            )


def day_boundary(case: Case) -> Iterator[Measured]:
    """Q04: distance of the nearest reading of a register from the start of a day [s]."""
    for tag, found in case.tags("energy"):
        good = found.good().t_us
        if not len(good) or not case.day_count:
            continue
        edges = case.day_edges[:-1]
        after = np.searchsorted(good, edges)
        ahead = np.abs(good[np.minimum(after, len(good) - 1)] - edges)
        behind = np.abs(edges - good[np.maximum(after - 1, 0)])
        off_s = np.minimum(ahead, behind) / 1e6
        late = np.flatnonzero(off_s > 60)
        shown = [case.day_span(int(day)) for day in late]
        yield Measured(tag.name, float(off_s.max()), tag.asset_id, tag.tag_id, shown)


def lateness(case: Case) -> Iterator[Measured]:
    """Q05: working days from a batch's first row to its arrival; imported history is none."""
    for gateway, batches in _by_gateway(case):
        own = [batch for batch in batches if not batch.imported]
        if own:
            days = [_working_days(case, batch) for batch in own]
            shown = [of_batch(b) for b, late in zip(own, days, strict=True) if late > 3]
            yield Measured(gateway, float(max(days)), shown=shown)


def _working_days(case: Case, batch: Delivered) -> int:
    first, last = (at.astimezone(case.zone).date() for at in (batch.first_ts, batch.received_at))
    count = min(max((last - first).days, 0), 366)
    days = (first + timedelta(days=number) for number in range(1, count + 1))
    return sum(day.isoweekday() <= 5 and day not in case.plan.holidays for day in days)


def retention(case: Case) -> Iterator[Measured]:
    """Q06: how long raw data are kept at the edge, as the plan says [d]."""
    for asset in case.plan.assets:
        days = case.limits_of(asset.asset_id).retention_days
        if days is not None:
            yield Measured(asset.code, days, asset.asset_id)


def clocks(case: Case) -> Iterator[Measured]:
    """P22: how far a gateway's clock is off, or its rows lie in the future [s].

    A row more than 300 s ahead of its arrival counts whatever the median.
    """
    for gateway, batches in _by_gateway(case):
        own = [batch for batch in batches if not batch.imported]
        skews = [batch.clock_skew_s for batch in own if batch.clock_skew_s is not None]
        ahead = {batch: (batch.last_ts - batch.received_at).total_seconds() for batch in own}
        future = [batch for batch, seconds in ahead.items() if seconds > 300]
        if future:
            yield Measured(gateway, max(ahead.values()), shown=[of_batch(b) for b in future])
        elif skews:
            shown = [of_batch(b) for b in own if abs(b.clock_skew_s or 0) > 60]
            yield Measured(gateway, abs(median(skews)), shown=shown)


def backfilled(case: Case) -> Iterator[Measured]:
    """P23: rows of old times a strictly equal step apart that came in one batch [count].

    A row that the gateway itself had received in time, and only sent late, is no back-fill.
    """
    for gateway, batches in _by_gateway(case):
        own = [batch for batch in batches if not batch.imported]
        found = [batch for batch in own if _is_old(batch) and _equally_spaced(case, batch)]
        if own:
            rows = sum(batch.row_count for batch in found)
            yield Measured(gateway, float(rows), shown=[of_batch(batch) for batch in found])


def _is_old(batch: Delivered) -> bool:
    return (batch.collected_to or batch.received_at) - batch.last_ts > _OLD


def _equally_spaced(case: Case, batch: Delivered) -> bool:
    first, last = to_us(batch.first_ts), to_us(batch.last_ts)
    for found in case.samples.values():
        t_us = found.t_us[(found.t_us >= first) & (found.t_us <= last)]
        if len(t_us) >= _LEAST_RUN and len(np.unique(np.diff(t_us))) == 1:
            return True
    return False


def estimated(case: Case) -> Iterator[Measured]:
    """P27: share of a meter's quantity in hours that a gap was bridged in.

    More than seven days of such hours in a row fail whatever the share.
    """
    for asset in case.plan.assets:
        facts = case.hours.get(asset.asset_id)
        if asset.kind != "meter" or facts is None:
            continue
        bridged = (facts["flags"] & FLAG_BRIDGED) != 0
        whole = float(np.nansum(facts["energy"]))
        shown = hour_spans(facts["hour_us"][bridged])
        longest = _longest_us([int(at) for at in facts["hour_us"][bridged]])
        share = float(np.nansum(facts["energy"][bridged])) / whole if whole > 0 else 0.0
        severity: Severity | None = "fail" if longest > 7 * 24 * HOUR_US else None
        if whole > 0 or severity:
            yield Measured(asset.code, share, asset.asset_id, None, shown, severity)


def _longest_us(hour_us: list[int]) -> int:
    longest = run = 0
    for number, at in enumerate(hour_us):
        run = run + HOUR_US if number and at - hour_us[number - 1] == HOUR_US else HOUR_US
        longest = max(longest, run)
    return longest


def broken_baseline(case: Case) -> Iterator[Measured]:
    """P24: share of the machines heard of now that the baseline did not hear."""
    if case.before is None or not case.before.asset_ids:
        raise NotApplicable("no_baseline")
    if from_us(case.start_us).astimezone(case.zone).date() < case.plan.factory.renovated_on:
        raise NotApplicable("before_renovation")
    heard = [
        asset
        for asset in case.plan.assets
        if asset.in_oee and case.total(asset.asset_id, "known_s") > 0
    ]
    new = [asset for asset in heard if asset.asset_id not in case.before.asset_ids]
    if heard:
        shown = [{"asset": asset.code} for asset in new]
        yield Measured(case.plan.factory.code, len(new) / len(heard), shown=shown)


def _by_gateway(case: Case) -> Iterator[tuple[str, list[Delivered]]]:
    for gateway, batches in groupby(case.batches, key=lambda batch: batch.gateway):
        yield gateway, list(batches)
