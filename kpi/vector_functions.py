"""The functions that worked examples name, and how their inputs are read.

What a function needs and may have stands in one place for each; a field that is missing or not
known is refused by name, since a number that leaves a field out answers another question.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from inspect import Parameter, signature
from math import fsum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from kpi.codes import credit_code, enterprise_size
from kpi.errors import InputsRefused
from kpi.formulas import delivery, energy, oee, quality
from kpi.formulas.checks import number
from kpi.formulas.counters import MeterSegment, counter, meter
from kpi.formulas.events import oee_events
from kpi.formulas.iso22400 import Elements, iso22400
from kpi.formulas.states import state_time
from kpi.formulas.turnover import turnover

LOCAL_TIME = ZoneInfo("Asia/Shanghai")
MONTHS_OF_A_YEAR = 12

Inputs = Mapping[str, Any]
Results = Mapping[str, Any]
T = TypeVar("T")


def _fields(place: str, given: Any, needed: Iterable[str], optional: Iterable[str] = ()) -> Inputs:
    """Return an object that has what is needed and nothing that is not known."""
    needed = tuple(needed)
    known = (*needed, *optional)
    if not isinstance(given, Mapping):
        raise InputsRefused(f"{place} must be an object with the fields {', '.join(known)}")
    if unknown := [name for name in given if name not in known]:
        raise InputsRefused(f"{place}: {unknown[0]} is not known; known are {', '.join(known)}")
    if missing := [name for name in needed if name not in given]:
        raise InputsRefused(f"{place}: {missing[0]} is missing; supply it")
    return given


def _call(place: str, function: Callable[..., T], given: Any) -> T:
    """Call a formula with an object whose fields are its parameters."""
    parameters = signature(function).parameters.values()
    needed = [each.name for each in parameters if each.default is Parameter.empty]
    optional = [each.name for each in parameters if each.default is not Parameter.empty]
    return function(**_fields(place, given, needed, optional))


def _rows(name: str, given: Any, length: int | None = None) -> Sequence[Any]:
    """Return a list; where a length is given, one whose members are lists of that length."""
    if not isinstance(given, list | tuple):
        raise InputsRefused(f"{name} must be a list, not {given!r}")
    for row in given if length is not None else ():
        if not isinstance(row, list | tuple) or len(row) != length:
            raise InputsRefused(f"{name}: {row!r} must be a list of {length}")
    return given


def _pair(name: str, given: Any) -> Sequence[Any]:
    pair: Sequence[Any] = _rows(name, [given], 2)[0]
    return pair


def _seconds(value: object) -> float:
    """Read a number, or an ISO 8601 time as seconds since 1970; a naive time is local."""
    if not isinstance(value, str):
        return number("time", value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise InputsRefused(f"{value!r} is no time such as 2024-05-01T08:00:00+08:00") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_TIME)).timestamp()


def _day(value: object) -> date:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InputsRefused(f"{value!r} is no date such as 2024-05-01") from error
    return (moment.astimezone(LOCAL_TIME) if moment.tzinfo else moment).date()


def _rollup(inputs: Inputs) -> Results:
    given = _fields("oee_rollup", inputs, ("parts",))["parts"]
    return asdict(
        oee.oee_rollup([_call("part", oee.OeePart, each) for each in _rows("parts", given)])
    )


def _oee_events(inputs: Inputs) -> Results:
    needed = ("window", "planned_s", "ideal_cycle_s", "running_state", "states", "counts")
    given = _fields("oee_events", inputs, needed)
    start, end = (_seconds(edge) for edge in _pair("window", given["window"]))
    result = oee_events(
        window=(start, end),
        planned_s=given["planned_s"],
        ideal_cycle_s=given["ideal_cycle_s"],
        running_state=given["running_state"],
        states=[(_seconds(when), state) for when, state in _rows("states", given["states"], 2)],
        counts=[
            (_seconds(when), total, bad) for when, total, bad in _rows("counts", given["counts"], 3)
        ],
    )
    return asdict(result)


def _counter(inputs: Inputs) -> Results:
    given = _fields("counter", inputs, ("samples",), ("modulus", "max_rate"))
    samples = [(_seconds(when), shown) for when, shown in _rows("samples", given["samples"], 2)]
    return asdict(counter(samples, given.get("modulus"), given.get("max_rate")))


def _meter(inputs: Inputs) -> Results:
    given = _rows("segments", _fields("meter", inputs, ("segments",))["segments"])
    return {"primary": meter([_call("segment", MeterSegment, each) for each in given])}


def _state_time(inputs: Inputs) -> Results:
    given = _fields("state_time", inputs, ("states", "window"), ("max_hold_s", "previous"))
    previous = given.get("previous")
    if previous is not None:
        when, state = _pair("previous", previous)
        previous = (_seconds(when), state)
    return state_time(
        states=[(_seconds(when), state) for when, state in _rows("states", given["states"], 2)],
        window=[_seconds(edge) for edge in _pair("window", given["window"])],
        max_hold_s=given.get("max_hold_s"),
        previous=previous,
    )


def _rolled_yield(inputs: Inputs) -> Results:
    given = _fields("rolled_yield", inputs, ("steps",))["steps"]
    return {"rolled": quality.rolled_yield(_rows("steps", given, 2))}


def _order_line(given: Any) -> delivery.OrderLine:
    values = _fields(
        "line", given, ("quantity",), ("line", "due", "confirmed", "shipments", "order")
    )
    confirmed = values.get("confirmed") or []
    if isinstance(confirmed, str):
        confirmed = [confirmed]
    shipments = _rows("shipments", values.get("shipments") or [], 2)
    return delivery.OrderLine(
        line=str(values.get("line")),
        quantity=values["quantity"],
        due=_day(values["due"]) if values.get("due") else None,
        shipments=tuple((_day(when), sent) for when, sent in shipments),
        confirmed=tuple(_day(when) for when in _rows("confirmed", confirmed)),
        order=values.get("order"),
    )


def _on_time(inputs: Inputs) -> Results:
    given = _fields("on_time", inputs, ("lines", "period"))
    start, end = (_day(edge) for edge in _pair("period", given["period"]))
    lines = [_order_line(values) for values in _rows("lines", given["lines"])]
    return asdict(delivery.on_time(lines, (start, end)))


def _turnover(inputs: Inputs) -> Results:
    given = dict(_fields("turnover", inputs, ("cogs", "balances"), ("days",)))
    if isinstance(given["cogs"], list | tuple):
        by_month = [number("cost of a month", cost) for cost in given["cogs"]]
        if len(by_month) != MONTHS_OF_A_YEAR:
            raise InputsRefused(f"cogs has {len(by_month)} months; it must have 12")
        given["cogs"] = fsum(by_month)
    _rows("balances", given["balances"])
    return asdict(turnover(**given))


def _standard_coal(inputs: Inputs) -> Results:
    given = _rows("items", _fields("standard_coal", inputs, ("items",))["items"])
    return asdict(energy.standard_coal([_call("item", energy.EnergyItem, each) for each in given]))


def _site_meters(inputs: Inputs) -> Results:
    named = list(signature(energy.site_meters).parameters)
    given = _fields("site_meters", inputs, named)
    for name in ("entry_kwh", "sub_kwh"):
        _rows(name, given[name])
    return asdict(energy.site_meters(**given))


def _iso22400(inputs: Inputs) -> Results:
    _fields("iso22400", inputs, [each.name for each in fields(Elements)])
    return asdict(iso22400(Elements(**inputs)))


FUNCTIONS: Mapping[str, Callable[[Inputs], Results]] = {
    "oee": lambda i: asdict(_call("oee", oee.oee, i)),
    "oee_from_factors": lambda i: {"oee": _call("oee_from_factors", oee.oee_from_factors, i)},
    "oee_rollup": _rollup,
    "oee_events": _oee_events,
    "iso22400": _iso22400,
    "counter": _counter,
    "meter": _meter,
    "state_time": _state_time,
    "quality": lambda i: asdict(_call("quality", quality.quality, i)),
    "rolled_yield": _rolled_yield,
    "on_time": _on_time,
    "turnover": _turnover,
    "standard_coal": _standard_coal,
    "site_electricity": lambda i: asdict(_call("site_electricity", energy.site_electricity, i)),
    "site_meters": _site_meters,
    "credit_code": lambda i: asdict(_call("credit_code", credit_code, i)),
    "enterprise_size": lambda i: {"size": _call("enterprise_size", enterprise_size, i)},
}
