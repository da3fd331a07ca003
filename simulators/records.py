"""Every business event of a plant: its orders, lots and books, and what the newer systems add."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from simulators import clock, finance, monthly, orders, quality, shopfloor, troubles, upkeep
from simulators.events import Event

if TYPE_CHECKING:
    from simulators.plant import Plant

_ALARM_AFTER_US = 300 * clock.SECOND_US


def events(plant: "Plant") -> Iterator[Event]:
    """Yield all business events of a plant, in no order."""
    since_us = plant.systems_from_us
    ahead_s = shopfloor.ahead_s(plant.stream("planning"), list(plant.logs))
    claimed = partial(_overstated, plant, "MES")
    shop = shopfloor.Shop(plant.scenario.systems, ahead_s, plant.order_lines, claimed)
    yield from _lots(plant, shop, since_us)
    yield from _upkeep(plant, since_us)
    for line in plant.order_lines:
        yield from orders.events(line)
        yield from shopfloor.shipments(shop, line, since_us)
    yield from _books(plant, since_us)
    for project in plant.projects:
        yield monthly.project_event(project)


def _lots(plant: "Plant", shop: shopfloor.Shop, since_us: int) -> Iterator[Event]:
    yield from (quality.event(lot) for lot in plant.lots if lot.started_us < since_us)
    later = [lot for lot in plant.lots if lot.started_us >= since_us]
    for made in shopfloor.chances(plant.stream("shop"), later):
        lot = made.lot
        yield quality.event(lot, shopfloor.measured(shop, made))
        yield from shopfloor.events(shop, made)
        if shopfloor.is_out_of_control(shop, made):
            yield upkeep.quality_alarm(lot.lot, lot.asset, lot.inspected_us + _ALARM_AFTER_US)


def _upkeep(plant: "Plant", since_us: int) -> Iterator[Event]:
    for code, log in plant.logs.items():
        yield from upkeep.stop_events(plant.stream("upkeep", code), code, log, since_us)
    lines = {each.line: each.code for each in reversed(plant.scenario.equipment)}
    first = clock.local_day(since_us)
    days = plant.days[plant.days >= first]
    working = days[plant.calendar.working(days)].tolist()
    yield from upkeep.rounds(sorted(lines.items()), working)
    planner = plant.scenario.system[0].code
    yield from upkeep.delays(plant.order_lines, planner, since_us)


def _books(plant: "Plant", since_us: int) -> Iterator[Event]:
    scenario = plant.scenario
    meters = {each.code: each for each in scenario.meter}
    for month in plant.months:
        closing_us = clock.midnight_us(clock.day_number(month.last_day) + 1)
        counted = None
        if closing_us >= since_us:
            counted = finished_goods(plant, closing_us), scenario.systems.stock_unit
        yield from finance.events(month, counted)
        yield from monthly.month_events(scenario.books, month, plant.employees[month.first])
        if month.first >= plant.windows.baseline[0] and closing_us <= plant.horizon_us:
            for invoice in scenario.books.invoice:
                feed = plant.feeds[invoice.meter]
                times = _overstated(plant, invoice.meter, closing_us - 1)
                meter = meters[invoice.meter]
                yield monthly.invoice_event(invoice, meter, feed, month.first, times)


def _overstated(plant: "Plant", name: str, instant_us: int) -> float:
    return troubles.overstated(name, instant_us, plant.scenario.trouble, plant.renovation)


def finished_goods(plant: "Plant", at_us: int) -> int:
    """Return what lies in the store at a local midnight, in pieces or kg."""
    since_us = plant.systems_from_us
    good = sum(lot.good for lot in plant.lots if since_us <= lot.inspected_us < at_us)
    first, end = clock.local_day(since_us), clock.local_day(at_us)
    shipped = sum(
        each.quantity
        for line in plant.order_lines
        for each in line.shipments
        if first <= each.day < end
    )
    return plant.scenario.systems.opening_stock + good - shipped
