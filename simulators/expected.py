"""Which findings a scenario's troubles must lead to, reckoned from the event log.

The limits are those of the published rules: a day with less than three quarters of its
heartbeats, six hours at one value, a twentieth of the run time without power, two resets a day.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simulators import clock, outages, states, troubles
from simulators.troubles import Span

if TYPE_CHECKING:
    from simulators.plant import Plant

_HOUR_US = 3600 * clock.SECOND_US
_COUNTED = ("state", "total_count", "reject_count", "energy")
_DAY_SHARES = (("fail", 0.75), ("warn", 0.90))
_ESTIMATED = 0.05
_FLAT_US = 6 * _HOUR_US
_WITHOUT_POWER = (("fail", 0.05), ("warn", 0.02))
_PARTS_WITHOUT_POWER = 0.005
_SKEWS = (("fail", 300.0), ("warn", 60.0))


@dataclass(frozen=True, slots=True)
class Expected:
    """One finding that must be there; live tells that only live data can show it."""

    month: str
    rule: str
    severity: str
    subject: str
    live: bool = False


def findings(plant: "Plant") -> list[dict[str, Any]]:
    """Return what the troubles of a plant lead to, in order of month, rule and subject."""
    found: list[Expected] = []
    for loss in plant.scenario.links.loss:
        found += _lost_link(plant, *outages.loss_span(loss, plant.renovation))
    resets: dict[tuple[str, int], list[int]] = defaultdict(list)
    for trouble in plant.scenario.trouble:
        span = troubles.span_of(trouble, plant.renovation)
        found += _of_tag(plant, trouble.tag, span)
        if span.kind == troubles.RESET:
            day = clock.local_day(span.start_us)
            resets[trouble.tag, day].append(span.start_us)
    for (tag, _), at_us in resets.items():
        if _seen(plant, tag, at_us) > 1:
            found.append(Expected(_month(at_us[0]), "P19", "warn", tag))
    return [asdict(each) for each in sorted(found, key=lambda e: (e.month, e.rule, e.subject))]


def _of_tag(plant: "Plant", tag: str, span: Span) -> list[Expected]:
    month, asset = _month(span.start_us), tag.partition(".")[0]
    if span.kind == troubles.FROZEN and _at_work_us(plant, span) > _FLAT_US:
        return [Expected(month, "P08", "fail", tag)]
    if span.kind == troubles.REPLAYED:
        return [Expected(month, "P09", "fail", tag)]
    if span.kind == troubles.UNPOWERED:
        return _without_power(plant, asset, span)
    if span.kind == troubles.SKEWED:
        ahead = _graded(span.shift_us / clock.SECOND_US, _SKEWS)
        gateway = f"gw-demo-{plant.scenario.name}"
        return [Expected(month, "P22", each, gateway, live=True) for each in ahead]
    if span.kind == troubles.MISBILLED:
        carrier = next(each.carrier for each in plant.scenario.meter if each.code == tag)
        numbers = [each.number for each in plant.scenario.books.invoice if each.meter == tag]
        bills = [f"{each}-{month.replace('-', '')}:{carrier}" for each in numbers]
        return [Expected(month, "P15", "fail", each) for each in bills]
    if span.kind == troubles.INFLATED:
        used = [each.code for each in plant.scenario.systems.material]
        return [Expected(month, "P13", "fail", each) for each in used]
    return []


def _without_power(plant: "Plant", asset: str, span: Span) -> list[Expected]:
    log, output, month = plant.logs[asset], plant.outputs[asset], _month(span.start_us)
    whole = _month_us(span.start_us)
    running = log.state == states.RUN

    def run_us(start_us: int, end_us: int) -> float:
        return float(np.diff(np.clip(log.edges_us, start_us, end_us))[running].sum())

    share = run_us(span.start_us, span.end_us) / max(run_us(*whole), 1.0)
    found = [Expected(month, "P01", each, asset) for each in _graded(share, _WITHOUT_POWER)]
    if output is not None:
        inside, all_of_it = (
            int(np.diff(output.total(np.array(each, np.int64)))[0])
            for each in ((span.start_us, span.end_us), whole)
        )
        if inside > _PARTS_WITHOUT_POWER * all_of_it:
            found.append(Expected(month, "P03", "fail", asset))
    return found


def _lost_link(plant: "Plant", start_us: int, end_us: int) -> list[Expected]:
    month, found = _month(start_us), []
    days = range(clock.local_day(start_us), clock.local_day(end_us) + 1)
    lost = max(
        min(end_us, clock.midnight_us(day + 1)) - max(start_us, clock.midnight_us(day))
        for day in days
    )
    left = 1 - lost / clock.DAY_US
    severity = next((name for name, limit in _DAY_SHARES if left < limit), None)
    for tag in plant.tags:
        heard = tag.source in ("opcua", "modbus") and plant.heard_from_us(tag) < start_us
        if heard and severity is not None and tag.role in _COUNTED:
            found.append(Expected(month, "Q01", severity, tag.name))
        # A midnight without a reading near it: the days cannot be told apart.
        if heard and tag.role == "energy" and _midnight_within(start_us, end_us):
            found.append(Expected(month, "Q04", "fail", tag.name))
    for meter in plant.scenario.meter:
        feed = plant.feeds[meter.code]
        hours = start_us // _HOUR_US * _HOUR_US, -(-end_us // _HOUR_US) * _HOUR_US
        bridged, whole = (
            float(np.diff(feed.total(np.array(each, np.int64)))[0])
            for each in (hours, _month_us(start_us))
        )
        if bridged > _ESTIMATED * whole:
            found.append(Expected(month, "P27", "warn", meter.code))
    return found


def _midnight_within(start_us: int, end_us: int) -> bool:
    near = 60 * clock.SECOND_US
    days = range(clock.local_day(start_us), clock.local_day(end_us) + 1)
    return any(start_us + near < clock.midnight_us(day) < end_us - near for day in days)


def _seen(plant: "Plant", tag: str, at_us: list[int]) -> int:
    """Count the resets of a register that had counted something since the one before."""
    asset = tag.partition(".")[0]
    output, count = plant.outputs[asset], 1
    assert output is not None
    for begin, end in zip(sorted(at_us)[:-1], sorted(at_us)[1:], strict=True):
        count += int(np.diff(output.total(np.array([begin, end], np.int64)))[0]) > 0
    return count


def _at_work_us(plant: "Plant", span: Span) -> int:
    first, last = clock.local_day(span.start_us) - 1, clock.local_day(span.end_us) + 1
    shifts = plant.calendar.shift_intervals(first, last)
    return sum(max(0, min(end, span.end_us) - max(start, span.start_us)) for start, end in shifts)


def _graded(value: float, limits: tuple[tuple[str, float], ...]) -> list[str]:
    return [name for name, limit in limits if value > limit][:1]


def _month(instant_us: int) -> str:
    return f"{clock.to_datetime(instant_us):%Y-%m}"


def _month_us(instant_us: int) -> tuple[int, int]:
    first = clock.to_datetime(instant_us).date().replace(day=1)
    return (
        clock.midnight_us(clock.day_number(first)),
        clock.midnight_us(clock.day_number(clock.add_months(first, 1))),
    )
