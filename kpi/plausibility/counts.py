"""Rules on counters and what comes of them: pace, resets, smoothness, holidays."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from kpi.calendar import from_us
from kpi.facts.basis import FLAG_BRIDGED, Ints, register
from kpi.formulas.counters import RESET
from kpi.plausibility.basis import Case, Measured, NotApplicable, Severity, hour_spans, span, spans

_COUNTS = ("total_count", "good_count", "reject_count", "rework_count")
_SHIFT_END_S = 15 * 60
_LEAST_DAYS = 15


def performance(case: Case) -> Iterator[Measured]:
    """P05: ideal time of the output / run time; beyond 1 the ideal cycle is wrong [2].

    Only hours in which every second is known count: a register bridges a gap, and run time does
    not.
    """
    for asset in case.plan.assets:
        facts = case.hours.get(asset.asset_id)
        if facts is None or not case.plan.ideal_cycle_s.get(asset.asset_id):
            continue
        known = (facts["unknown_s"] <= 0) & (facts["flags"] & FLAG_BRIDGED == 0)
        run_s, made_s = (np.where(known, facts[n], 0) for n in ("run_s", "ideal_total_s"))
        if run_s.sum() > 0:
            fast = np.nan_to_num(made_s) > run_s * 1.1 + 60
            shown = hour_spans(facts["hour_us"][fast])
            share = float(np.nansum(made_s) / run_s.sum())
            yield Measured(asset.code, share, asset.asset_id, None, shown)


def cycle_physics(case: Case) -> Iterator[Measured]:
    """P06: intervals in which parts came faster than the machine can move [count]."""
    for tag, found in case.tags("total_count"):
        least_s = case.limits_of(tag.asset_id).min_cycle_s
        if least_s is None:
            continue
        each = register(tag, found)
        lasting_s = (each.end_us - each.start_us) / 1e6
        # One part more may be on its way at either edge of an interval.
        fast = (each.increase > 1) & ((each.increase - 1) * least_s > lasting_s)
        shown = spans(each.start_us[fast], each.end_us[fast])
        yield Measured(tag.name, float(fast.sum()), tag.asset_id, tag.tag_id, shown)


def resets(case: Case) -> Iterator[Measured]:
    """P19: most resets of a counter in one day; any at the end of a shift ask for a look."""
    for tag, found in case.tags(*_COUNTS):
        each = register(tag, found)
        at_us = each.end_us[each.event == RESET]
        begins = each.start_us[each.event == RESET]
        day = np.searchsorted(case.day_edges, at_us, side="right") - 1
        most = int(np.bincount(np.maximum(day, 0)).max()) if len(at_us) else 0
        at_end = len(at_us) > 0 and _at_shift_end(case, at_us).all()
        severity: Severity | None = "review" if at_end else None
        shown = spans(begins, at_us)
        yield Measured(tag.name, float(most), tag.asset_id, tag.tag_id, shown, severity)


def _at_shift_end(case: Case, at_us: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell of each time whether a shift of that or the day before ends close to it."""
    near = np.zeros(len(at_us), np.bool_)
    for number, moment in enumerate(at_us.tolist()):
        local = from_us(moment).astimezone(case.zone)
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            for shift in case.plan.shifts:
                if shift.weekday == day.isoweekday():
                    begins = local.replace(
                        year=day.year, month=day.month, day=day.day, hour=shift.starts.hour,
                        minute=shift.starts.minute, second=0, microsecond=0,
                    )  # fmt: skip
                    ends = begins + timedelta(seconds=shift.duration_s)
                    near[number] |= abs((local - ends).total_seconds()) <= _SHIFT_END_S
    return near


def smoothness(case: Case) -> Iterator[Measured]:
    """P25: spread of the daily reject share / spread that counting alone would give [own].

    The floor is that of a binomial count, sqrt(p (1 - p) / n); numbers made up are smoother.
    """
    for asset in case.plan.assets:
        if not case.total(asset.asset_id, "reject") or not case.day_count:
            continue
        total, reject = (case.by_day(asset.asset_id, name) for name in ("total", "reject"))
        made = total > 0
        if made.sum() < _LEAST_DAYS:
            continue
        share = reject[made] / total[made]
        overall = float(reject[made].sum() / total[made].sum())
        floor = float(np.sqrt(np.mean(overall * (1 - overall) / total[made])))
        if floor > 0:
            shown = [span(int(case.day_edges[0]), int(case.day_edges[-1]))]
            yield Measured(asset.code, float(share.std()) / floor, asset.asset_id, None, shown)


def holidays(case: Case) -> Iterator[Measured]:
    """P16: hours of a declared holiday in which an asset counted output."""
    days = [
        number
        for number in range(case.day_count)
        if case.first_day + timedelta(days=number) in case.plan.holidays
    ]
    if not days:
        raise NotApplicable("no_holiday")
    begin, end = case.day_edges[days], case.day_edges[np.array(days) + 1]
    for asset in case.plan.assets:
        facts = case.hours.get(asset.asset_id)
        if facts is None or np.isnan(facts["total"]).all():
            continue
        at = facts["hour_us"]
        day = np.searchsorted(begin, at, side="right") - 1
        # A shift that began the day before belongs to that day.
        free = (day >= 0) & (at < end[np.maximum(day, 0)]) & (facts["off_s"] >= 3600)
        busy = free & (np.nan_to_num(facts["total"]) > 0)
        yield Measured(asset.code, float(busy.sum()), asset.asset_id, None, hour_spans(at[busy]))


def planned_downtime(case: Case) -> Iterator[Measured]:
    """P17: change of the share of shift time that is planned down against the baseline."""
    before = case.before
    if before is None or before.planned_s + before.planned_down_s <= 0:
        raise NotApplicable("no_baseline")
    machines = [each.asset_id for each in case.plan.assets if each.in_oee]
    planned = sum(case.total(asset_id, "planned_s") for asset_id in machines)
    down = sum(case.total(asset_id, "planned_down_s") for asset_id in machines)
    if planned + down > 0:
        share = down / (planned + down)
        earlier = before.planned_down_s / (before.planned_s + before.planned_down_s)
        yield Measured(case.plan.factory.code, abs(share - earlier))
