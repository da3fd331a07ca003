"""Alarms and maintenance: what the machines, the planning and the people say of a stop or a delay.

They follow from the log of states, so that every unplanned stop has its alarm and its repair.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from simulators import clock, noise, states
from simulators.events import Event
from simulators.logs import Log
from simulators.orders import OrderLine

_STOP_US = 300 * clock.SECOND_US
# A shorter stop the machine ends by itself.
_BY_ITSELF_US = 720 * clock.SECOND_US
_LONG_US = 3000 * clock.SECOND_US
_FORESEEN = 0.3
_MINUTE_US = 60 * clock.SECOND_US


def stop_events(stream: int, asset: str, log: Log, since_us: int) -> Iterator[Event]:
    """Yield the alarm and the repair of each stop of five minutes or more, and its forewarning."""
    length_us = np.diff(log.edges_us)
    found = np.flatnonzero(
        (log.state == states.STOP) & (length_us >= _STOP_US) & (log.edges_us[:-1] >= since_us)
    )
    seconds = log.edges_us[found] // clock.SECOND_US
    shares = noise.uniform(stream, seconds[:, None], np.arange(3)[None, :]).tolist()
    for at, share in zip(found.tolist(), shares, strict=True):
        start_us, end_us = int(log.edges_us[at]), int(log.edges_us[at + 1])
        alarm = f"AL-{asset}-{start_us // clock.SECOND_US}"
        code = f"E{100 + int(share[0] * 40)}"
        by_itself = end_us - start_us < _BY_ITSELF_US
        yield from _alarm(alarm, asset, code, start_us, end_us, by_itself=by_itself)
        yield from _repair(asset, alarm, code, start_us, end_us)
        if end_us - start_us >= _LONG_US and share[1] < _FORESEEN:
            warned_us = start_us - int((2 + 6 * share[2]) * clock.DAY_US)
            yield _prediction(asset, code, warned_us)


def rounds(lines: Sequence[tuple[str, str]], days: Sequence[int]) -> Iterator[Event]:
    """Yield the daily inspection round of each line; lines come with a machine of theirs."""
    for day in days:
        for number, (line, asset) in enumerate(lines):
            start_us = clock.midnight_us(day) + (500 + 25 * number) * _MINUTE_US
            order = f"PM-{line}-{clock.day_of(day):%y%m%d}"
            body = {
                "order": order,
                "asset": asset,
                "type": "inspection",
                "state": "done",
                "due_at": clock.iso(start_us + 120 * _MINUTE_US),
                "started_at": clock.iso(start_us),
                "finished_at": clock.iso(start_us + 20 * _MINUTE_US),
                "action": "点检",
            }
            yield _maintenance(start_us + 20 * _MINUTE_US, body)


def delays(lines: Sequence[OrderLine], asset: str, since_us: int) -> Iterator[Event]:
    """Yield the warning of the planning for each order line that could not be kept."""
    for line in lines:
        if line.promised_again_day is None:
            continue
        at_us = clock.midnight_us(line.promised_again_day) + 540 * _MINUTE_US
        if at_us >= since_us:
            body = {
                "alarm": f"AL-{line.line}",
                "asset": asset,
                "code": "LATE",
                "category": "schedule",
                "raised_by": "system",
                "raised_at": clock.iso(at_us),
                "severity": "warning",
                "text": f"订单 {line.line} 可能延期",
            }
            yield _raised(at_us, body)


def quality_alarm(lot: str, asset: str, at_us: int) -> Event:
    """Return the alarm of the control chart on a lot that left its limits."""
    body = {
        "alarm": f"AL-{lot}",
        "asset": asset,
        "code": "SPC",
        "category": "quality",
        "raised_by": "system",
        "raised_at": clock.iso(at_us),
        "severity": "warning",
        "rule": "X-MR",
        "text": f"批次 {lot} 超出控制限",
    }
    return _raised(at_us, body)


def _alarm(
    alarm: str, asset: str, code: str, start_us: int, end_us: int, *, by_itself: bool
) -> Iterator[Event]:
    body = {
        "alarm": alarm,
        "asset": asset,
        "code": code,
        "category": "fault",
        "raised_by": "device",
        "raised_at": clock.iso(start_us + clock.SECOND_US),
        "severity": "warning" if by_itself else "critical",
    }
    yield _raised(start_us + clock.SECOND_US, body)
    cleared = {"cleared_at": clock.iso(end_us), "cleared_by": "auto" if by_itself else "person"}
    yield _raised(end_us, body | cleared)


def _repair(asset: str, alarm: str, code: str, start_us: int, end_us: int) -> Iterator[Event]:
    body = {
        "order": f"RM-{alarm}",
        "asset": asset,
        "type": "repair",
        "state": "done",
        "due_at": clock.iso(start_us + clock.DAY_US),
        "started_at": clock.iso(start_us + _MINUTE_US),
        "finished_at": clock.iso(end_us),
        "alarm": alarm,
        "fault": code,
        "action": "复位并检查",
    }
    yield _maintenance(end_us, body)


def _prediction(asset: str, code: str, at_us: int) -> Event:
    body = {
        "alarm": f"AL-{asset}-P{at_us // clock.SECOND_US}",
        "asset": asset,
        "code": code,
        "category": "prediction",
        "raised_by": "system",
        "raised_at": clock.iso(at_us),
        "severity": "info",
        "text": "振动趋势上升",
    }
    return _raised(at_us, body)


def _raised(sent_us: int, body: dict[str, str]) -> Event:
    return Event(sent_us, "eam/alarm", "alarm", body["alarm"], body["raised_at"], body)


def _maintenance(sent_us: int, body: dict[str, str]) -> Event:
    return Event(sent_us, "eam/maintenance", "maintenance", body["order"], body["started_at"], body)
