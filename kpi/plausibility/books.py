"""Rules that hold output against the books, the edits of records, and what assets claim to be."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from kpi.figures.identity import address, serial
from kpi.plausibility.basis import Case, Measured, NotApplicable, number_in, of_record, span

_LATE = timedelta(hours=72)
# What is looked back at: a reason or a quantity, which later deliveries do not change by nature.
_SETTLED = ("inspection", "maintenance", "alarm", "job", "stock_move")


def material(case: Case) -> Iterator[Measured]:
    """P13: |output x bill of material - material taken from stock| / material, by material."""
    if not case.bills:
        raise NotApplicable("no_bill")
    made: dict[str, float] = defaultdict(float)
    for record in case.records.get("job", ()):
        parts = [number_in(record.body, name) for name in ("quantity_good", "quantity_scrap")]
        made[str(record.body.get("product"))] += sum(part or 0.0 for part in parts)
    taken: dict[str, float] = defaultdict(float)
    for record in case.records.get("stock_move", ()):
        direction, quantity = record.body.get("direction"), number_in(record.body, "quantity")
        # What a work order gives back to the store was not used.
        if record.body.get("work_order") is not None and direction in ("in", "out"):
            signed = (quantity or 0.0) * (1 if direction == "out" else -1)
            taken[str(record.body.get("material"))] += signed
    for name in sorted({name for _, name in case.bills}):
        needed = sum(
            made[product] * per_unit for (product, of), per_unit in case.bills.items() if of == name
        )
        if taken[name] > 0:
            shown = [{"material": name}, span(case.start_us, case.end_us)]
            yield Measured(name, abs(needed - taken[name]) / taken[name], shown=shown)


def shipments(case: Case) -> Iterator[Measured]:
    """P14: |opening + good - shipped - closing finished goods| / good, in pieces."""
    first = case.first_day
    until = first + timedelta(days=case.day_count)
    opening, closing = (_finished(case, day - timedelta(days=1)) for day in (first, until))
    if opening is None or closing is None:
        raise NotApplicable("no_stock_quantity")
    good = _inspected_good(case)
    if good <= 0:
        raise NotApplicable("no_inspection")
    shipped, keys = 0.0, []
    for record in case.records.get("order_line", ()):
        sent = sum(quantity for day, quantity in _shipped(record.body) if first <= day < until)
        if sent:
            shipped += sent
            keys.append(record.key)
    residual = opening + good - shipped - closing
    shown = [of_record("order_line", key) for key in keys]
    yield Measured(case.plan.factory.code, abs(residual) / good, shown=shown)


def _finished(case: Case, day: date) -> float | None:
    for record in case.records.get("stock_balance", ()):
        if record.body.get("category") == "finished" and record.body.get("day") == str(day):
            return number_in(record.body, "quantity")
    return None


def _inspected_good(case: Case) -> float:
    good = 0.0
    for record in case.records.get("inspection", ()):
        inside = case.start_us <= record.at.timestamp() * 1e6 < case.end_us
        if record.body.get("operation") == "final" and inside:
            total, scrap, rework = (
                number_in(record.body, name) or 0.0 for name in ("total", "scrap", "rework")
            )
            good += total - scrap - rework
    return good


def _shipped(body: Mapping[str, Any]) -> Iterator[tuple[date, float]]:
    given = body.get("shipments")
    for pair in given if isinstance(given, list) else ():
        try:
            yield date.fromisoformat(pair[0]), float(pair[1])
        except (ArithmeticError, LookupError, TypeError, ValueError):
            # What cannot be read is named where figures are formed.
            continue


def late_edits(case: Case) -> Iterator[Measured]:
    """P18: how long after its time a settled record was changed [h], the latest of each kind."""
    if not any(case.records.get(kind) for kind in _SETTLED):
        raise NotApplicable("no_settled_record")
    for kind in _SETTLED:
        own = [edit for edit in case.edits if edit.kind == kind]
        late = [edit for edit in own if edit.received_at - edit.at > _LATE]
        if case.records.get(kind):
            hours = max((e.received_at - e.at for e in own), default=timedelta()).total_seconds()
            shown = [of_record(kind, edit.key) for edit in late]
            yield Measured(kind, hours / 3600, shown=shown)


def identity(case: Case) -> Iterator[Measured]:
    """P20: machines or robots that share a serial number or an address with another [count].

    Meters may: each of a meter's registers is an asset of its own.
    """
    claims: dict[str, list[str]] = defaultdict(list)
    for asset in case.plan.assets:
        if asset.kind not in ("machine", "robot"):
            continue
        for what, own in (("serial", serial(asset)), ("address", address(asset))):
            if own:
                claims[f"{what} {own}"].append(asset.code)
    if not claims:
        raise NotApplicable("no_serial")
    for claim, codes in claims.items():
        if len(codes) > 1:
            yield Measured(claim, float(len(codes)), shown=[{"asset": code} for code in codes])
    yield Measured(case.plan.factory.code, 0.0)
