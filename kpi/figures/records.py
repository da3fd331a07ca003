"""Business records as they count: read from what a factory's systems sent, or set aside.

A record that cannot be read stops no figure; it is named with its reason, and lowers the coverage
of the period that it would have counted for.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from kpi.calendar import add_months
from kpi.errors import NotComputable
from kpi.figures.basis import Business, Inspected, Made, Unreadable
from kpi.figures.bills import bill
from kpi.figures.people import employees, project
from kpi.formulas.checks import non_negative, number
from kpi.formulas.delivery import OrderLine
from kpi.reasons import because
from store.records import StoredRecord

KINDS = (
    *("inspection", "order_line", "stock_balance", "cogs", "headcount", "rd_project"),
    *("output_value", "energy_invoice", "degree_days"),
)
_INSPECTED = ("total", "scrap", "rework", "passed_first")
STOCK = ("raw", "wip", "finished")
# What reading a body raises that no check foresaw, such as digits without end: it is one record,
# and must not keep all figures of its factory from being formed.
_STRANGE = (ArithmeticError, LookupError, TypeError, ValueError)

Body = Mapping[str, Any]
Parsed = TypeVar("Parsed")


def business(records: Mapping[str, Sequence[StoredRecord]], timezone: str) -> Business:
    """Sort the newest versions of a factory's records by what they count for."""
    zone = ZoneInfo(timezone)
    aside: list[Unreadable] = []

    def read(kind: str, parse: Callable[[Body], Parsed]) -> Iterator[tuple[date, Parsed]]:
        for record in records[kind]:
            day = local_day(record.at, zone)
            try:
                yield day, parse(_body(record))
            except NotComputable as refusal:
                aside.append(Unreadable(kind, record.key, day, refusal.reason))
            except _STRANGE:
                aside.append(Unreadable(kind, record.key, day, because("body_strange")))

    lines: dict[date, list[OrderLine]] = defaultdict(list)
    for _, (promised, line) in read("order_line", _order_line):
        lines[promised].append(line)
    inspected: dict[date, Inspected] = defaultdict(Inspected)
    made: dict[date, dict[Made, Inspected]] = defaultdict(lambda: defaultdict(Inspected))
    for day, found in read("inspection", _final_lot):
        if found is not None:
            inspected[day] += found[1]
            made[day][found[0]] += found[1]

    def once(kind: str, parse: Callable[[Body], tuple[date, Parsed]]) -> dict[date, Parsed]:
        return _once(kind, (month for _, month in read(kind, parse)), aside)

    balances = [balance for _, balance in read("stock_balance", _balance)]
    cogs_yuan = once("cogs", _cost)
    people = once("headcount", employees)
    projects = tuple(each for _, each in read("rd_project", project))
    stock_yuan = _stock_yuan(balances, aside)
    output_value = once("output_value", _output_value)
    bills = tuple(each for _, each in read("energy_invoice", bill) if each is not None)
    degree_days = once("degree_days", _degree_days)
    return Business(
        *(lines, inspected, stock_yuan, cogs_yuan, tuple(aside), made, people, projects),
        output_value=output_value,
        bills=bills,
        degree_days=degree_days,
    )


def _once(
    kind: str, months: Iterable[tuple[date, Parsed]], aside: list[Unreadable]
) -> dict[date, Parsed]:
    """Return values by month; of two different ones of a month nobody can say which one holds."""
    found: dict[date, Parsed] = {}
    twice = set()
    for month, value in months:
        if found.setdefault(month, value) != value:
            twice.add(month)
    for month in sorted(twice):
        del found[month]
        aside.append(Unreadable(kind, f"{month:%Y-%m}", month, because("given_twice")))
    return found


def _body(record: StoredRecord) -> Body:
    if not isinstance(record.body, Mapping):
        raise NotComputable(because("body_no_object"))
    return record.body


def _order_line(body: Body) -> tuple[date, OrderLine]:
    """Return a line and the day that counts; without shipments nothing was shipped yet.

    A line of quantity 0 is a cancelled one.
    """
    line = OrderLine(
        line=str(body.get("line")),
        quantity=non_negative("quantity", _value(body, "quantity")),
        due=_day("due", body["due"]) if body.get("due") else None,
        confirmed=tuple(_day("confirmed", day) for day in _list(body, "confirmed")),
        shipments=tuple(_shipment(each) for each in _list(body, "shipments")),
        order=str(body["order"]) if body.get("order") is not None else None,
    )
    if line.promised is None:
        raise NotComputable(because("no_due_date"))
    return line.promised, line


def _shipment(given: Any) -> tuple[date, float]:
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise NotComputable(because("shipment_no_pair", given=repr(given)))
    return _day("shipment", given[0]), non_negative("shipped quantity", _as_number(given[1]))


def _final_lot(body: Body) -> tuple[Made, Inspected] | None:
    """Return what made a lot and its quantities, None where a later operation inspects it again."""
    operation = body.get("operation")
    if operation != "final":
        if not isinstance(operation, str):
            raise NotComputable(because("operation_missing"))
        return None
    total, scrap, rework, passed = (_quantity(body, name) for name in _INSPECTED)
    undisposed = abs(total - scrap - rework - passed)
    lot = Inspected(1, total, scrap, rework, passed, undisposed)
    return (_text(body.get("asset")), _product(body.get("product"))), lot


def _text(given: Any) -> str | None:
    return str(given) if isinstance(given, str | int) else None


def _product(given: Any) -> int | str | None:
    """Return a product's number in the plan; some systems send it as text."""
    if isinstance(given, str) and given.isdecimal():
        return int(given)
    return given if isinstance(given, str | int) else None


def _quantity(body: Body, name: str) -> float:
    return non_negative(name, _value(body, name))


def _balance(body: Body) -> tuple[date, str, float]:
    category = body.get("category")
    if category not in STOCK:
        raise NotComputable(because("category_unknown", category=repr(category), known=STOCK))
    value = non_negative("value_yuan", _value(body, "value_yuan"))
    return _day("day", body.get("day")), str(category), value


def _stock_yuan(
    balances: Sequence[tuple[date, str, float]], aside: list[Unreadable]
) -> dict[date, dict[str, float]]:
    """Return stock by day and category; of two records of one nobody can say which one holds."""
    found: dict[date, dict[str, float]] = defaultdict(dict)
    twice = set()
    for day, category, value in balances:
        if category in found[day]:
            twice.add((day, category))
        found[day][category] = value
    for day, category in sorted(twice):
        del found[day][category]
        aside.append(Unreadable("stock_balance", f"{day}:{category}", day, because("given_twice")))
    return found


def _cost(body: Body) -> tuple[date, float]:
    month = _day("month", f"{body.get('month')}-01")
    return month, number("amount_yuan", _value(body, "amount_yuan"))


def _output_value(body: Body) -> tuple[date, tuple[float, int]]:
    month = _day("month", f"{body.get('month')}-01")
    value = non_negative("value_yuan", _value(body, "value_yuan"))
    price_year = number("price_year", _value(body, "price_year"))
    return month, (value, int(price_year))


def _degree_days(body: Body) -> tuple[date, tuple[float, float]]:
    month = _day("month", f"{body.get('month')}-01")
    names = ("heating_kd", "cooling_kd")
    heating, cooling = (non_negative(name, _value(body, name)) for name in names)
    return month, (heating, cooling)


def _value(body: Body, name: str) -> Any:
    return _as_number(body.get(name))


def _as_number(given: Any) -> Any:
    """Return what a text of digits stands for, since some systems send every number as text."""
    if not isinstance(given, str):
        return given
    try:
        return float(given)
    except ValueError:
        return given


def _day(name: str, given: Any) -> date:
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError) as error:
        raise NotComputable(because("no_date", name=name, given=repr(given))) from error


def _list(body: Body, name: str) -> Sequence[Any]:
    given = body.get(name)
    if given is None:
        return ()
    if not isinstance(given, list | tuple):
        raise NotComputable(because("no_list", name=name, given=repr(given)))
    return given


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the local day of a time; the last one there is for a time behind it."""
    try:
        return at.astimezone(zone).date()
    except OverflowError:
        return date.max


def counting_days(kind: str, at: date, body: Body) -> list[date]:
    """Return the local days of whose months a record is part."""
    try:
        return _counting_days(kind, at, body)
    except _STRANGE:
        return [at]


def _counting_days(kind: str, at: date, body: Body) -> list[date]:
    if kind == "order_line" and isinstance(body, Mapping):
        try:
            return [_order_line(body)[0]]
        except NotComputable:
            return [at]
    if kind == "energy_invoice" and isinstance(body, Mapping):
        return [at, *_first_day(body)]
    if kind == "stock_balance":
        # The closing balance of one month opens the next.
        return [at, at + timedelta(days=1)]
    return [at]


def _first_day(body: Body) -> list[date]:
    try:
        return [_day("first_day", body.get("first_day"))]
    except NotComputable:
        return []


def records_window(baseline_from: date) -> date:
    """Return from which day on records can matter: the balance before the first month."""
    return add_months(baseline_from, -1)
