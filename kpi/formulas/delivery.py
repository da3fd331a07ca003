"""On-time delivery of order lines.

References
----------
[1] Infor, on-time shipment: 10 lines due, 6 shipped in full by the date, 60 %.
[2] SCOR, delivery performance to the customer commit date.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum

from kpi.errors import NotComputable
from kpi.formulas.checks import ROUNDING, non_negative
from kpi.reasons import because


@dataclass(frozen=True)
class OrderLine:
    """One order line; `confirmed` holds the confirmed dates, the first one first."""

    line: str
    quantity: float
    due: date | None
    shipments: tuple[tuple[date, float], ...] = ()
    confirmed: tuple[date, ...] = ()
    order: str | None = None

    @property
    def promised(self) -> date | None:
        """The first confirmed date, or the ordered due date where none was confirmed."""
        return self.confirmed[0] if self.confirmed else self.due

    def shipped_by(self, day: date) -> float:
        """Quantity shipped on or before a day."""
        return fsum(
            non_negative("shipped quantity", sent) for when, sent in self.shipments if when <= day
        )

    @property
    def ordered(self) -> float:
        """Ordered quantity; 0 for a cancelled line."""
        return non_negative(f"quantity of line {self.line}", self.quantity)

    def whole_by(self, day: date) -> bool:
        """Tell whether all that was ordered was shipped on or before a day."""
        return self.shipped_by(day) >= self.ordered * (1 - ROUNDING)


@dataclass(frozen=True)
class OnTime:
    """Lines due in the period and the share of them shipped in full and on time [1]."""

    due: int
    on_time: float


def on_time(lines: Iterable[OrderLine], period: tuple[date, date]) -> OnTime:
    """On-time delivery rate 订单准时交付率.

    A line belongs to the period of its promised date: the first confirmed one, so that a later
    promise neither saves a late line nor moves it into another period. It counts as on time if its
    whole quantity was shipped on or before that day; early and partial shipments add up. Lines
    that are late or still open stay in the denominator; a cancelled one, whose quantity is 0, is
    not due. Without lines due there is no rate.

    Parameters
    ----------
    lines : order lines, quantities [unit], days in Asia/Shanghai
    period : [first day, day after the last)

    Returns
    -------
    OnTime : lines due [1], share on time [1]

    References: [1], [2].
    """
    start, end = period
    if end <= start:
        raise NotComputable(because("period_empty"))
    due = full = 0
    for line in lines:
        promised = line.promised
        if promised is None:
            raise NotComputable(because("line_without_date", line=line.line))
        if not start <= promised < end or line.ordered == 0:
            continue
        due += 1
        full += line.whole_by(promised)
    if due == 0:
        raise NotComputable(because("no_line_due"))
    return OnTime(due=due, on_time=full / due)


@dataclass(frozen=True)
class Delivered:
    """Shares beside the on-time rate; rate = in_full · on_time_of_shipped, never otif [1].

    None where there is nothing to divide by, or where a line does not name its order.
    """

    in_full: float
    on_time_of_shipped: float | None
    otif: float | None
    orders: int


def delivered(lines: Sequence[OrderLine], period: tuple[date, date]) -> Delivered:
    """Named variants of on-time delivery, which must not be taken for it.

    in_full: of the lines due, those shipped whole at any time. on_time_of_shipped: of those, the
    ones that were on time; it leaves open overdue lines out and so is the kinder one. otif: of
    the orders, those all of whose lines due in the period were on time and in full; an order is
    judged as a whole and never as a product of two rates.

    Parameters
    ----------
    lines : order lines, quantities [unit]
    period : [first day, day after the last)

    Returns
    -------
    Delivered : shares [1]

    Raises NotComputable where no line was due.

    References: [1], [2].
    """
    start, end = period
    due = [
        (line, line.promised)
        for line in lines
        if line.promised is not None and start <= line.promised < end and line.ordered > 0
    ]
    if not due:
        raise NotComputable(because("no_line_due"))
    whole = [line.whole_by(date.max) for line, _ in due]
    kept = [line.whole_by(promised) for line, promised in due]
    orders: dict[str | None, bool] = {}
    for (line, _), is_kept in zip(due, kept, strict=True):
        orders[line.order] = orders.get(line.order, True) and is_kept
    shipped = sum(whole)
    return Delivered(
        in_full=shipped / len(due),
        on_time_of_shipped=sum(kept) / shipped if shipped else None,
        otif=None if None in orders else sum(orders.values()) / len(orders),
        orders=0 if None in orders else len(orders),
    )
