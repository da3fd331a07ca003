"""Order lines of the ERP: created, confirmed, promised again, shipped in parts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulators import clock, noise
from simulators.events import Event
from simulators.model import Orders
from simulators.noise import Floats

# An order is created at most this long before its first day of interest.
LONGEST_LEAD_DAYS = 75
LEAST_LEAD_DAYS = 12


@dataclass(frozen=True, slots=True)
class Shipment:
    """Pieces that left on a local day."""

    day: int
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order line with all that will ever happen to it; days are local day numbers."""

    line: str
    created_day: int
    quantity: int
    due_day: int
    confirmed_days: tuple[int, ...]
    promised_again_day: int | None
    shipments: tuple[Shipment, ...]
    minute: int
    channel: str = "业务员"


def order_lines(
    orders: Orders, stream: int, first_day: int, last_day: int, renovation_day: int
) -> list[OrderLine]:
    """Return the lines created on the weekdays of [first_day, last_day)."""
    days = np.arange(first_day, last_day, dtype=np.int64)
    days = days[(days + 3) % 7 < 5]
    day, number = (
        each.ravel() for each in np.meshgrid(days, np.arange(orders.lines_a_day), indexing="ij")
    )
    share = np.stack([noise.uniform(stream, day, number, which) for which in range(12)])
    return [
        _line(orders, int(day[at]), int(number[at]), share[:, at], renovation_day)
        for at in range(len(day))
    ]


def events(line: OrderLine) -> Iterator[Event]:
    """Yield each version of a line as the ERP sends it, in time order."""
    yield _version(line, line.created_day, 510 + line.minute, again=False)
    steps = [(shipment.day, 840 + line.minute // 3) for shipment in line.shipments]
    if line.promised_again_day is not None:
        steps.append((line.promised_again_day, 600 + line.minute // 3))
    for day, minute in sorted(steps):
        again = line.promised_again_day is not None and line.promised_again_day <= day
        yield _version(line, day, minute, again=again)


def _line(
    orders: Orders, created: int, number: int, share: Floats, renovation_day: int
) -> OrderLine:
    due = created + LEAST_LEAD_DAYS + int(share[0] * 28)
    confirmed = due + (int(1 + share[2] * 4) if share[1] < 0.25 else 0)
    on_time = orders.on_time_before if confirmed < renovation_day else orders.on_time_after
    if share[3] < on_time:
        last = max(created + 3, confirmed - int(share[4] * 5))
    elif share[3] < on_time + orders.open_share:
        last = confirmed + 90 + int(share[4] * 60)
    else:
        last = confirmed + 1 + int(18 * share[4] ** 2)
    again = confirmed - 2 if last > confirmed and share[5] < 0.6 else None
    days = (confirmed,) if again is None else (confirmed, last)
    quantity = orders.quantity_from + int(share[6] * (orders.quantity_to - orders.quantity_from))
    return OrderLine(
        f"SO{clock.day_of(created):%y%m%d}-{number + 1}",
        created,
        quantity,
        due,
        # A few customers get no confirmation; then the wish date counts.
        () if share[7] < 0.04 and confirmed == due and again is None else days,
        again,
        _shipments(created, last, quantity, share[8:11]),
        int(share[11] * 540),
        "线上平台" if number % 3 == 0 else "业务员",
    )


def _shipments(created: int, last: int, quantity: int, share: Floats) -> tuple[Shipment, ...]:
    early = last - 1 - int(share[1] * 4)
    if share[0] > 0.3 or early <= created + 1:
        return (Shipment(last, quantity),)
    part = max(1, int(quantity * (0.4 + 0.3 * share[2])))
    return (Shipment(early, part), Shipment(last, quantity - part))


def _version(line: OrderLine, day: int, minute: int, *, again: bool) -> Event:
    instant = clock.midnight_us(day) + minute * 60 * clock.SECOND_US
    shipped = [
        each for each in line.shipments if (each.day, 840 + line.minute // 3) <= (day, minute)
    ]
    confirmed = line.confirmed_days if again else line.confirmed_days[:1]
    due = _date(line.due_day)
    body = {
        "line": line.line,
        "quantity": line.quantity,
        "due": due,
        "channel": line.channel,
        "confirmed": [_date(each) for each in confirmed],
        "shipments": [[_date(each.day), each.quantity] for each in shipped],
    }
    return Event(instant, "erp/order_line", "order_line", line.line, due, body)


def _date(day: int) -> str:
    return clock.day_of(day).isoformat()
