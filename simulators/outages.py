"""Times in which the machine network brings nothing to the city."""

from dataclasses import dataclass
from datetime import date

from simulators import clock, noise
from simulators.model import LinkLoss, Links

SOURCES = ("opcua", "modbus")


@dataclass(frozen=True, slots=True)
class Outage:
    """No rows of a source in [start, end); announced means that bad rows mark its start."""

    source: str
    start_us: int
    end_us: int
    announced: bool


def outages(links: Links, stream: int, renovation: date, months: range) -> tuple[Outage, ...]:
    """Return the outages of some months, counted from the renovation, in time order."""
    losses = [
        Outage(source, start, end, announced=False)
        for start, end in (loss_span(loss, renovation) for loss in links.loss)
        for source in SOURCES
    ]
    short = [
        each
        for month in months
        for each in _short_outages(links, stream, renovation, month)
        if not any(loss.start_us < each.end_us and each.start_us < loss.end_us for loss in losses)
    ]
    return tuple(sorted(losses + short, key=lambda each: (each.start_us, each.source)))


def loss_span(loss: LinkLoss, renovation: date) -> tuple[int, int]:
    """Return when a link is lost and when it is back [µs]."""
    first = clock.add_months(renovation, loss.month).replace(day=loss.day)
    start = clock.midnight_us(clock.day_number(first))
    start += clock.seconds_of_day(loss.starts) * clock.SECOND_US
    return start, start + round(loss.hours * 3600) * clock.SECOND_US


def _short_outages(links: Links, stream: int, renovation: date, month: int) -> list[Outage]:
    """Return outages that each swallow one quarter hour, days away from the month's edges."""
    first = clock.day_number(clock.add_months(renovation, month))
    found = []
    for at, source in enumerate(SOURCES):
        for number in range(links.outages_a_month):
            share = noise.uniform(stream, month + 1000, at, number, [0, 1])
            day = first + 3 + number * 11 + int(share[0] * 11)
            quarter = clock.midnight_us(day) + int(8 + share[1] * 80) * clock.QUARTER_US
            start, end = quarter - 200 * clock.SECOND_US, quarter + 400 * clock.SECOND_US
            found.append(Outage(source, start, end, announced=True))
    return found
