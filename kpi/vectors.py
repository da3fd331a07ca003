"""Runs worked examples (vectors) against the formulas.

A folder holds JSON files `{"family", "cases": [{id, function, inputs, expect, tolerance}]}`.
`expect` names some of a function's results; `{"refused": true}` means that only a reason may be
given.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpi.errors import BadTable, NotComputable
from kpi.vector_functions import FUNCTIONS, Inputs, Results

# Beside a case's own tolerance: what the last bits of a float may differ.
FLOAT_RELATIVE = 1e-12


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


def run_case(family: str, case: Any) -> CaseResult:
    """Run one case; a malformed one or an unknown function counts as failed."""
    if not isinstance(case, Mapping):
        return CaseResult(family, "?", "?", f"the case cannot be read: {case!r} is no object")
    function = str(case.get("function"))
    try:
        failure = _failure(FUNCTIONS.get(function), case)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        failure = f"the case cannot be read: {error!r}"
    return CaseResult(family, str(case.get("id")), function, failure)


def _failure(function: Callable[[Inputs], Results] | None, case: Mapping[str, Any]) -> str | None:
    if function is None:
        return "the function is not built"
    expect = dict(case["expect"])
    refusal = expect.pop("refused", False)
    if not isinstance(refusal, bool) or (not refusal and not expect):
        return "the case expects nothing, so it could not fail"
    try:
        results = function(case["inputs"])
    except NotComputable as refused:
        return None if refusal else f"refused: {refused.reason}"
    if refusal:
        return f"gave {dict(results)} where it had to refuse"
    tolerance = _tolerance(case)
    wrong = [
        f"{name} is {results.get(name, 'missing')!r}, not {wanted!r}"
        for name, wanted in expect.items()
        if name not in results or not matches(results[name], wanted, tolerance)
    ]
    return "; ".join(wrong) or None


def _tolerance(case: Mapping[str, Any]) -> float:
    tolerance = float(case.get("tolerance") or 0)
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance is {tolerance} but must be a number from 0 on")
    return tolerance


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
