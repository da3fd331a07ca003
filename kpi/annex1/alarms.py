"""Methods over alarms and maintenance, beside the stops that the machines themselves show."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from kpi.annex1.basis import Answer, Footprint, Stop, hours, judged, text
from kpi.annex1.tables import Rule
from kpi.errors import NotComputable
from kpi.reasons import because
from store.records import StoredRecord

# The least difference of two times.
_STEP = timedelta(microseconds=1)


def warnings(seen: Footprint, rule: Rule) -> Answer:
    """A rule or a machine raised warnings in each month; how long people took is shown."""
    alarms = seen.some("alarm", rule)
    raised = [
        each
        for each in alarms
        if text(each, "category") in rule.words["categories"]
        and text(each, "raised_by") in ("system", "device")
    ]
    by_month = {f"{first:%Y-%m}": 0 for first in seen.months(rule)}
    for each in raised:
        by_month[f"{seen.month(each.at):%Y-%m}"] += 1
    waits = [
        (at - each.at).total_seconds()
        for each in raised
        if (at := seen.time(each, "acknowledged_at")) is not None
    ]
    numbers = {"by_month": by_month, "median_ack_s": median(waits) if waits else None}
    return judged(all(by_month.values()), numbers, kind="alarm", shown=raised)


def fault_alarms(seen: Footprint, rule: Rule) -> Answer:
    """Unplanned stops of five minutes or more carry an alarm that the device itself raised."""
    stops = _stops(seen)
    before = timedelta(seconds=rule.limits["before_s"])
    alarms = _by_asset(
        each
        for each in seen.records.get("alarm", ())
        if text(each, "category") == "fault" and text(each, "raised_by") == "device"
    )
    matched = [
        _between(alarms.get(stop.asset, []), stop.start - before, stop.end) for stop in stops
    ]
    silent = [stop for stop, found in zip(stops, matched, strict=True) if not found]
    share = 1 - len(silent) / len(stops)
    numbers = {"stops": len(stops), "with_alarm": len(stops) - len(silent), "share": share}
    shown = {each.key: each for found in matched for each in found}.values()
    return judged(
        *(share >= rule.limits["least_share"], numbers),
        kind="alarm",
        shown=shown,
        stops_against=[_span(stop) for stop in silent[:50]],
    )


def _by_asset(rows: Iterable[StoredRecord]) -> dict[str | None, list[StoredRecord]]:
    """Return records by the asset that they name, in order of time."""
    found: dict[str | None, list[StoredRecord]] = {}
    for row in sorted(rows, key=lambda each: each.at):
        found.setdefault(text(row, "asset"), []).append(row)
    return found


def _between(
    rows: Sequence[StoredRecord], start: datetime, end: datetime
) -> Sequence[StoredRecord]:
    """Return the records of [start, end) out of those of one asset."""
    first, last = (bisect_left(rows, at, key=lambda row: row.at) for at in (start, end))
    return rows[first:last]


def _stops(seen: Footprint) -> list[Stop]:
    if seen.stops is None:
        raise NotComputable(because("no_machine_state"))
    if not seen.stops:
        raise NotComputable(because("no_long_stop"))
    return list(seen.stops)


def _span(stop: Stop) -> list[str]:
    return [stop.asset, stop.start.isoformat(), stop.end.isoformat()]


def predictions(seen: Footprint, rule: Rule) -> Answer:
    """At least one alert came before a real failure of the same asset; precision is shown."""
    alarms = seen.some("alarm", rule)
    alerts = [each for each in alarms if text(each, "category") == "prediction"]
    failures = _by_asset(
        each
        for each in (*seen.records.get("alarm", ()), *seen.records.get("maintenance", ()))
        if text(each, "category") == "fault" or text(each, "type") == "repair"
    )
    lead = timedelta(days=rule.limits["lead_days"])
    hits = [
        alert
        for alert in alerts
        if _between(failures.get(text(alert, "asset"), []), alert.at + _STEP, alert.at + lead)
    ]
    numbers = {
        "alerts": len(alerts),
        "before_a_failure": len(hits),
        "precision": len(hits) / len(alerts) if alerts else None,
    }
    return judged(bool(hits), numbers, kind="alarm", shown=hits)


def recoveries(seen: Footprint, rule: Rule) -> Answer:
    """At least one fault was cleared by the machine itself."""
    cleared = [
        each
        for each in seen.some("alarm", rule)
        if text(each, "category") == "fault" and text(each, "cleared_by")
    ]
    if not cleared:
        raise NotComputable(because("no_cleared_alarm"))
    own = [each for each in cleared if text(each, "cleared_by") == "auto"]
    numbers = {"cleared": len(cleared), "by_itself": len(own)}
    return judged(bool(own), numbers, kind="alarm", shown=own)


def upkeep(seen: Footprint, rule: Rule) -> Answer:
    """Repairs on record match the unplanned stops; the share of orders done in time is shown."""
    orders = seen.some("maintenance", rule)
    stops = _stops(seen)
    after = hours(rule.limits["after_h"])
    repairs = [each for each in orders if text(each, "type") in ("repair", "predictive")]
    of_asset = _by_asset(repairs)
    unmended = [
        stop
        for stop in stops
        if not _between(of_asset.get(stop.asset, []), stop.start, stop.end + after)
    ]
    share = 1 - len(unmended) / len(stops)
    end = seen.window(rule)[1]
    due = [each for each in orders if (at := seen.time(each, "due_at")) is not None and at < end]
    numbers = {
        "stops": len(stops),
        "with_repair": len(stops) - len(unmended),
        "share": share,
        "due": len(due),
        "in_time": sum(_in_time(seen, each) for each in due),
    }
    return judged(
        *(share >= rule.limits["least_share"], numbers),
        kind="maintenance",
        shown=repairs,
        stops_against=[_span(stop) for stop in unmended[:50]],
    )


def _in_time(seen: Footprint, order: StoredRecord) -> bool:
    due, finished = seen.time(order, "due_at"), seen.time(order, "finished_at")
    return due is not None and finished is not None and finished <= due
