"""What APS, MES, WMS and QMS say of each lot: planned, sent to the machine, made, moved, measured.

All of it follows from the lots that the machines made, so that it agrees with their counters.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulators import clock, noise
from simulators.events import Event
from simulators.model_systems import Material, Systems
from simulators.orders import LEAST_LEAD_DAYS, OrderLine
from simulators.quality import Lot

_MINUTE_US = 60 * clock.SECOND_US
_HOUR_US = 60 * _MINUTE_US
_MOST_AHEAD_S = 2400
_REPLANNED = 0.08
_VEHICLES = 3
_SHARES = 8
# An individuals chart has its limits near two thirds of this many half widths of the noise.
_OUT_BY = 2.6


@dataclass(frozen=True, slots=True)
class Shop:
    """What the records of lots need to know besides the lots; lines in order of their creation."""

    systems: Systems
    ahead_s: Mapping[str, int]
    lines: Sequence[OrderLine]
    # By what factor the jobs that begin at an instant claim more than was made.
    claimed: Callable[[int], float] = lambda _: 1.0

    @property
    def unit(self) -> str:
        """Return the unit in which goods are counted."""
        return self.systems.stock_unit


@dataclass(frozen=True, slots=True)
class Made:
    """A lot with its own repeatable shares of chance, 0…1."""

    lot: Lot
    share: tuple[float, ...]


def chances(stream: int, lots: Sequence[Lot]) -> list[Made]:
    """Return lots with their shares, the same for a lot whatever the others."""
    at = np.array([(lot.inspected_us, lot.product) for lot in lots], np.int64).reshape(-1, 2)
    drawn = noise.uniform(
        stream, at[:, :1] // clock.SECOND_US, at[:, 1:], np.arange(_SHARES)[None, :]
    )
    return [Made(lot, tuple(row)) for lot, row in zip(lots, drawn.tolist(), strict=True)]


def ahead_s(stream: int, assets: Sequence[str]) -> dict[str, int]:
    """Return by how much the plan of each machine runs ahead of it.

    It is the same at all times, so that the operations of a plan stay one after the other.
    """
    drawn = noise.uniform(stream, np.arange(len(assets)))
    return dict(zip(assets, (_MOST_AHEAD_S * drawn).astype(int).tolist(), strict=True))


def measured(shop: Shop, made: Made) -> dict[str, Any]:
    """Return what the inspection device adds to the result of a lot."""
    wanted = shop.systems.characteristic
    value = wanted.nominal + wanted.noise * _deviation(shop, made)
    return {
        "origin": "device",
        "device": "CMM-1",
        "measurements": [
            {
                "characteristic": f"{wanted.name} {made.lot.product}",
                "value": round(value, 4),
                "unit": wanted.unit,
                "lower_limit": round(wanted.nominal - wanted.tolerance, 4),
                "upper_limit": round(wanted.nominal + wanted.tolerance, 4),
            }
        ],
    }


def is_out_of_control(shop: Shop, made: Made) -> bool:
    """Tell whether the measured value left what the process usually does."""
    return made.share[0] < shop.systems.out_of_control


def _deviation(shop: Shop, made: Made) -> float:
    if is_out_of_control(shop, made):
        return _OUT_BY if made.share[1] < 0.5 else -_OUT_BY
    return made.share[2] + made.share[3] - 1


def events(shop: Shop, made: Made) -> Iterator[Event]:
    """Yield what the systems send of one lot, apart from its inspection."""
    lot = made.lot
    order = f"WO-{lot.lot}"
    yield from _planned(shop, made, order)
    yield _recipe(lot, order)
    yield from _carried_out(shop, lot, order)
    used = [each for each in shop.systems.material if str(lot.product) in each.per_unit]
    for number, material in enumerate(used):
        yield from _material(shop, made, order, material, number)
    yield _stored(shop, lot, order)


def shipments(shop: Shop, line: OrderLine, since_us: int) -> Iterator[Event]:
    """Yield the movements out of the store for an order line, from an instant on."""
    for number, each in enumerate(line.shipments, start=1):
        at_us = clock.midnight_us(each.day) + (840 + line.minute // 3) * _MINUTE_US
        if at_us >= since_us:
            key = f"SM-{line.line}-{number}"
            body = _move(shop, key, at_us, "out", each.quantity)
            body |= {"material": "FG", "category": "finished", "order_line": line.line}
            yield Event(at_us, "wms/stock_move", "stock_move", key, body["moved_at"], body)


def _planned(shop: Shop, made: Made, order: str) -> Iterator[Event]:
    lot, ahead_us = made.lot, shop.ahead_s[made.lot.asset] * clock.SECOND_US
    day = clock.local_day(lot.started_us - ahead_us)
    body = {
        "id": f"{order}:10",
        "work_order": order,
        "operation": 10,
        "resource": lot.asset,
        "starts_at": clock.iso(lot.started_us - ahead_us),
        "ends_at": clock.iso(lot.ended_us - ahead_us),
        "origin": "auto",
        "plan": f"{clock.day_of(day - 1):%y%m%d}-1",
        "order_line": _open_line(shop, made, day).line,
        "product": str(lot.product),
        "quantity": lot.total,
        "capacity": 1,
    }
    sent_us = clock.midnight_us(day) - 2 * _HOUR_US
    yield _event(sent_us, "aps/plan_operation", "plan_operation", "starts_at", body)
    if made.share[4] < _REPLANNED:
        again = body | {"plan": f"{clock.day_of(day - 1):%y%m%d}-2", "cause": "急单插入"}
        yield _event(sent_us + _HOUR_US, "aps/plan_operation", "plan_operation", "starts_at", again)


def _open_line(shop: Shop, made: Made, day: int) -> OrderLine:
    """Return an order line that is made for: of the days before, and so due after this one."""
    low, high = (
        bisect_left(shop.lines, each, key=lambda line: line.created_day)
        for each in (day - LEAST_LEAD_DAYS + 1, day)
    )
    return shop.lines[low + int(made.share[5] * (high - low))]


def _recipe(lot: Lot, order: str) -> Event:
    sent_us = lot.started_us - 120 * clock.SECOND_US
    body = {
        "id": f"{lot.asset}:P{lot.product:04d}:{clock.iso(sent_us)}",
        "asset": lot.asset,
        "program": f"P{lot.product:04d}",
        "version": "3",
        "sent_at": clock.iso(sent_us),
        "job": f"J-{lot.lot}",
        "origin": "auto",
        "result": "done",
    }
    return _event(sent_us, "mes/recipe_download", "recipe_download", "sent_at", body)


def _carried_out(shop: Shop, lot: Lot, order: str) -> Iterator[Event]:
    body = {
        "job": f"J-{lot.lot}",
        "work_order": order,
        "operation": 10,
        "asset": lot.asset,
        "state": "running",
        "started_at": clock.iso(lot.started_us),
        "product": str(lot.product),
        "program": f"P{lot.product:04d}",
        "program_version": "3",
        "mode": "auto",
        "lot": lot.lot,
    }
    yield _event(lot.started_us, "mes/job", "job", "started_at", body, "job")
    # What was worked again is good in the end; material went into all of it.
    ended = {
        "state": "finished",
        "ended_at": clock.iso(lot.ended_us),
        "quantity_good": round((lot.total - lot.scrap) * shop.claimed(lot.started_us)),
        "quantity_scrap": lot.scrap,
    }
    yield _event(lot.inspected_us, "mes/job", "job", "started_at", body | ended, "job")


def _material(
    shop: Shop, made: Made, order: str, material: Material, number: int
) -> Iterator[Event]:
    """Yield what was taken from stock, posted when the lot is done, and what went into the lot."""
    lot = made.lot
    spread = 1 + 0.004 * (2 * made.share[6 + number % 2] - 1)
    quantity = round(lot.total * material.per_unit[str(lot.product)] * spread, 3)
    charge = f"{material.code}-{clock.day_of(clock.local_day(lot.started_us)):%G%V}"
    key = f"SM-{lot.lot}-{number}"
    move = _move(shop, key, lot.started_us, "out", quantity)
    move |= {"material": material.code, "unit": material.unit, "category": "raw"}
    move |= {"lot": charge, "work_order": order}
    yield _event(lot.inspected_us, "wms/stock_move", "stock_move", "moved_at", move, "move")
    went_in = {
        "id": f"{lot.lot}:{charge}",
        "lot": lot.lot,
        "component_lot": charge,
        "consumed_at": clock.iso(lot.started_us),
        "material": material.code,
        "quantity": quantity,
        "unit": material.unit,
        "work_order": order,
        "job": f"J-{lot.lot}",
        "asset": lot.asset,
    }
    yield _event(lot.inspected_us, "mes/lot_genealogy", "lot_genealogy", "consumed_at", went_in)


def _stored(shop: Shop, lot: Lot, order: str) -> Event:
    key = f"SM-{lot.lot}-in"
    move = _move(shop, key, lot.inspected_us, "in", lot.good)
    move |= {"material": str(lot.product), "category": "finished"}
    move |= {"lot": lot.lot, "work_order": order}
    return _event(lot.inspected_us, "wms/stock_move", "stock_move", "moved_at", move, "move")


def _move(shop: Shop, key: str, at_us: int, direction: str, quantity: float) -> dict[str, Any]:
    """Return a movement of finished goods; the material is the caller's."""
    minute = at_us // _MINUTE_US
    typed = minute % shop.systems.typed_every == 0
    return {
        "move": key,
        "moved_at": clock.iso(at_us),
        "direction": direction,
        "quantity": quantity,
        "unit": shop.unit,
        "identified_by": "manual" if typed else "qr_code",
        "dispatched_by": "manual" if typed else "auto",
        "vehicle": f"AGV-{minute % _VEHICLES + 1}",
    }


def _event(
    sent_us: int, topic: str, kind: str, at: str, body: dict[str, Any], key: str = "id"
) -> Event:
    return Event(sent_us, topic, kind, str(body[key]), str(body[at]), body)
