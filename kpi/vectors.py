"""Runs worked examples (vectors) against the formulas.

A folder holds JSON files `{"family", "cases": [{id, function, inputs, expect, tolerance}]}`.
`expect` names some of a function's results; `{"refused": true}` means that only a reason may be
given.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from kpi.codes import credit_code, enterprise_size
from kpi.errors import BadTable, NotComputable
from kpi.formulas import delivery, energy, oee, quality
from kpi.formulas.counters import MeterSegment, counter, meter
from kpi.formulas.events import oee_events
from kpi.formulas.iso22400 import Elements, iso22400
from kpi.formulas.states import state_time
from kpi.formulas.turnover import turnover

LOCAL_TIME = ZoneInfo("Asia/Shanghai")
# Beside a case's own tolerance: what the last bits of a float may differ.
FLOAT_RELATIVE = 1e-12

Inputs = Mapping[str, Any]
Results = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class CaseResult:
    """One case and, where it failed, what was wrong."""

    family: str
    case: str
    function: str
    failure: str | None

    @property
    def passed(self) -> bool:
        return self.failure is None

    @property
    def line(self) -> str:
        """One line for a person to read."""
        return f"{self.family}/{self.case} ({self.function}): {self.failure or 'passed'}"


@dataclass(frozen=True)
class VectorReport:
    """All cases of a folder, in the order of files and cases."""

    cases: tuple[CaseResult, ...]

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        return tuple(case for case in self.cases if not case.passed)

    @property
    def passed(self) -> int:
        return len(self.cases) - self.failed

    @property
    def failed(self) -> int:
        return len(self.failures)

    @property
    def summary(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def run(directory: Path) -> VectorReport:
    """Run every case of every JSON file in a folder.

    Raises BadTable where the folder has no vectors or a file cannot be read as such.
    """
    files = sorted(directory.glob("*.json")) if directory.is_dir() else []
    if not files:
        raise BadTable(f"{directory} holds no *.json vectors; name the folder that does")
    return VectorReport(tuple(result for file in files for result in _run_file(file)))


def _run_file(file: Path) -> list[CaseResult]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        family, cases = str(content["family"]), list(content["cases"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadTable(f"{file} is not a vector file ({error!r}); see its README") from error
    return [run_case(family, case) for case in cases]


def run_case(family: str, case: Mapping[str, Any]) -> CaseResult:
    """Run one case; a malformed one or an unknown function counts as failed."""
    function = str(case.get("function"))
    try:
        failure = _failure(FUNCTIONS.get(function), case)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        failure = f"the case cannot be read: {error!r}"
    return CaseResult(family, str(case.get("id")), function, failure)


def _failure(function: Callable[[Inputs], Results] | None, case: Mapping[str, Any]) -> str | None:
    if function is None:
        return "the function is not built"
    expect = case["expect"]
    if not expect:
        return "the case expects nothing, so it could not fail"
    refusal = bool(expect.get("refused"))
    try:
        results = function(case["inputs"])
    except NotComputable as refused:
        return None if refusal else f"refused: {refused.reason}"
    if refusal:
        return f"gave {dict(results)} where it had to refuse"
    tolerance = float(case.get("tolerance") or 0)
    wrong = [
        f"{name} is {results.get(name, 'missing')!r}, not {wanted!r}"
        for name, wanted in expect.items()
        if name not in results or not matches(results[name], wanted, tolerance)
    ]
    return "; ".join(wrong) or None


def matches(actual: object, wanted: object, tolerance: float) -> bool:
    """Compare a result with an expectation; numbers within an absolute tolerance."""
    if isinstance(wanted, bool) or isinstance(actual, bool):
        return actual is wanted
    if isinstance(wanted, int | float) and isinstance(actual, int | float):
        return math.isclose(actual, wanted, rel_tol=FLOAT_RELATIVE, abs_tol=tolerance)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return (
            isinstance(actual, Sequence)
            and len(actual) == len(wanted)
            and all(matches(a, w, tolerance) for a, w in zip(actual, wanted, strict=True))
        )
    return actual == wanted


def _seconds(value: object) -> float:
    """Read a number, or an ISO 8601 time as seconds since 1970; a naive time is local."""
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_TIME)).timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a time")
    return float(value)


def _day(value: str) -> date:
    moment = datetime.fromisoformat(value)
    return (moment.astimezone(LOCAL_TIME) if moment.tzinfo else moment).date()


def _call(function: Callable[..., T], inputs: Inputs) -> T:
    """Call a formula with a case's inputs; without all of them no number may be given."""
    try:
        signature(function).bind(**inputs)
    except TypeError as error:
        raise NotComputable(f"the inputs do not fit: {error}") from error
    return function(**inputs)


def _oee_events(inputs: Inputs) -> Results:
    start, end = (_seconds(edge) for edge in inputs["window"])
    result = oee_events(
        window=(start, end),
        planned_s=inputs["planned_s"],
        ideal_cycle_s=inputs["ideal_cycle_s"],
        running_state=inputs["running_state"],
        states=[(_seconds(when), state) for when, state in inputs["states"]],
        counts=[(_seconds(when), total, bad) for when, total, bad in inputs["counts"]],
    )
    return asdict(result)


def _state_time(inputs: Inputs) -> Results:
    previous = inputs.get("previous")
    return state_time(
        states=[(_seconds(when), state) for when, state in inputs["states"]],
        window=[_seconds(edge) for edge in inputs["window"]],
        max_hold_s=inputs.get("max_hold_s"),
        previous=None if previous is None else (_seconds(previous[0]), previous[1]),
    )


def _order_line(values: Mapping[str, Any]) -> delivery.OrderLine:
    confirmed = values.get("confirmed") or []
    if isinstance(confirmed, str):
        confirmed = [confirmed]
    return delivery.OrderLine(
        line=str(values.get("line")),
        quantity=values["quantity"],
        due=_day(values["due"]) if values.get("due") else None,
        shipments=tuple((_day(when), sent) for when, sent in values.get("shipments") or []),
        confirmed=tuple(_day(when) for when in confirmed),
    )


def _on_time(inputs: Inputs) -> Results:
    start, end = (_day(edge) for edge in inputs["period"])
    lines = [_order_line(values) for values in inputs["lines"]]
    return asdict(delivery.on_time(lines, (start, end)))


def _standard_coal(inputs: Inputs) -> Results:
    items = [
        energy.EnergyItem(
            carrier=str(values.get("carrier")),
            quantity=values["quantity"],
            factor_kgce_per_unit=values.get("factor_kgce_per_unit"),
            lhv_kj_per_unit=values.get("lhv_kj_per_unit"),
        )
        for values in inputs["items"]
    ]
    return asdict(energy.standard_coal(items))


FUNCTIONS: Mapping[str, Callable[[Inputs], Results]] = {
    "oee": lambda i: asdict(_call(oee.oee, i)),
    "oee_from_factors": lambda i: {"oee": _call(oee.oee_from_factors, i)},
    "oee_rollup": lambda i: asdict(oee.oee_rollup(_call(oee.OeePart, p) for p in i["parts"])),
    "oee_events": _oee_events,
    "iso22400": lambda i: asdict(iso22400(_call(Elements, i))),
    "counter": lambda i: asdict(_call(counter, i)),
    "meter": lambda i: {"primary": meter(_call(MeterSegment, s) for s in i["segments"])},
    "state_time": _state_time,
    "quality": lambda i: asdict(_call(quality.quality, i)),
    "rolled_yield": lambda i: {"rolled": quality.rolled_yield(i["steps"])},
    "on_time": _on_time,
    "turnover": lambda i: asdict(_call(turnover, i)),
    "standard_coal": _standard_coal,
    "site_electricity": lambda i: asdict(_call(energy.site_electricity, i)),
    "site_meters": lambda i: asdict(_call(energy.site_meters, i)),
    "credit_code": lambda i: asdict(credit_code(i["code"])),
    "enterprise_size": lambda i: {"size": _call(enterprise_size, i)},
}
