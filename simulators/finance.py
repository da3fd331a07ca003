"""Month-end stock of the WMS and cost of goods sold of the ERP."""

import math
from dataclasses import dataclass
from datetime import date, timedelta

from simulators import clock, noise
from simulators.events import Event
from simulators.model import Finance

CATEGORIES = ("raw", "wip", "finished")


@dataclass(frozen=True, slots=True)
class Month:
    """One month's cost of goods sold and its closing stock by category [yuan]."""

    first: date
    cogs_yuan: int
    stock_yuan: dict[str, int]

    @property
    def last_day(self) -> date:
        """Return the last day of the month."""
        return clock.add_months(self.first, 1) - timedelta(days=1)


def month(finance: Finance, stream: int, first: date, renovation: date) -> Month:
    """Return the figures of the month that starts on a first of month."""
    since = (first.year - renovation.year) * 12 + first.month - renovation.month
    number = first.year * 12 + first.month
    share = noise.uniform(stream, number, [0, 1, 2, 3]).tolist()
    base = finance.cogs_before_yuan if since < 0 else finance.cogs_after_yuan
    # Spring Festival falls into February in most years.
    season = 0.72 if first.month == 2 else 1.0
    cogs = base * season * (0.95 + 0.1 * share[0])
    level = _settled(finance, since + 1) * (0.96 + 0.08 * share[1])
    raw = level * finance.raw_share * (0.93 + 0.14 * share[2])
    wip = level * finance.wip_share * (0.93 + 0.14 * share[3])
    parts = (raw, wip, level - raw - wip)
    stock = {name: round(value) for name, value in zip(CATEGORIES, parts, strict=True)}
    return Month(first, round(cogs), stock)


def events(entry: Month, finished: tuple[int, str] | None = None) -> list[Event]:
    """Return what the systems send just after a month has closed.

    The finished goods come with their quantity and its unit, where the store counts them.
    """
    day = entry.last_day.isoformat()
    closing = clock.midnight_us(clock.day_number(entry.last_day) + 1)
    sent = []
    for minute, (category, value) in enumerate(entry.stock_yuan.items(), start=3):
        body = {"id": f"{day}:{category}", "day": day, "category": category, "value_yuan": value}
        if category == "finished" and finished is not None:
            body |= {"quantity": finished[0], "unit": finished[1]}
        sent_us = closing + minute * 60 * clock.SECOND_US
        sent.append(
            Event(sent_us, "wms/stock_balance", "stock_balance", f"{body['id']}", day, body)
        )
    name = f"{entry.first:%Y-%m}"
    cogs = {"month": name, "day": day, "amount_yuan": entry.cogs_yuan}
    sent.append(Event(closing + 600 * clock.SECOND_US, "erp/cogs", "cogs", name, day, cogs))
    return sent


def _settled(finance: Finance, months_after: int) -> float:
    before = finance.cogs_before_yuan * 12 / finance.turns_before
    if months_after <= 0:
        return before
    after = finance.cogs_after_yuan * 12 / finance.turns_after
    return after + (before - after) * math.exp(-months_after / finance.months_to_settle)
