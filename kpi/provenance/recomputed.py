"""Whether a figure is still what its facts and records give."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from kpi.figures import Estimate, Evidence, Period, estimates
from kpi.figures import figure as figure_of
from kpi.figures.basis import digest
from kpi.provenance.basis import Problem, named_period
from kpi.reasons import worded
from store.figures import Figure, NewFigure

_FIELDS = ("unit", "point", "low", "high", "coverage", "grade", "reason")
_DIGITS = 1e-11


def name(factory: str, figure: Figure) -> str:
    """Return how messages call a figure."""
    period = named_period(figure.period_kind, figure.period_start, figure.period_end)
    return f"figure {figure.figure_id} ({factory} {figure.kpi} {period} revision {figure.revision})"


class Formed:
    """Figures formed again from a factory's evidence, period by period."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._known: dict[Period, dict[str, Estimate]] = {}

    def again(self, figure: Figure) -> NewFigure | None:
        """Form a figure again; None where the KPI is gone."""
        period = Period(
            *(figure.period_kind, figure.period_start, figure.period_end),
            is_open="until" in figure.inputs,
        )
        if period not in self._known:
            found = estimates(self._evidence, period)
            self._known[period] = {each.kpi: each for each in found}
        estimate = self._known[period].get(figure.kpi)
        if estimate is None:
            return None
        return figure_of(figure.factory_id, period, estimate, self._evidence.until)


def gaps(factory: str, known: Sequence[Figure]) -> Iterator[Problem]:
    """Yield the revisions that are missing among all those of a factory."""
    counts: dict[tuple[str, str, date, date], list[int]] = {}
    for each in known:
        key = each.kpi, each.period_kind, each.period_start, each.period_end
        counts.setdefault(key, []).append(each.revision)
    for (kpi, kind, start, end), revisions in counts.items():
        closed = sorted(each for each in revisions if each > 0)
        gone = sorted(set(range(1, max(closed, default=0) + 1)) - set(closed))
        if gone:
            where = f"{factory} {kpi} {named_period(kind, start, end)}"
            numbers = ", ".join(map(str, gone))
            yield Problem("figure", where, f"{where}: revision {numbers} is missing")


def problems(factory: str, figure: Figure, again: NewFigure | None) -> Iterator[Problem]:
    """Yield what of a figure is not what it was, or not what its evidence gives."""
    where = name(factory, figure)
    fields = () if again is None else tuple(_fields(figure, again))
    for said in fields:
        yield Problem("figure", where, f"{where}: {said}")
    if not fields and not _whole(figure, again):
        yield Problem(
            "figure", where, f"{where}: its numbers do not belong to the hash stored with it"
        )


def _whole(figure: Figure, again: NewFigure | None) -> bool:
    """Tell whether the numbers of a figure give the hash that is stored with it."""
    parts = [figure.inputs, *(getattr(figure, each) for each in _HASHED)]
    if again is not None:
        return figure.inputs_sha256 == again.inputs_sha256
    return figure.inputs_sha256 == digest(parts)


_HASHED = ("point", "low", "high", "coverage", "reason")


def _fields(figure: Figure, again: NewFigure) -> Iterator[str]:
    for field in (*_FIELDS, "coefficient_version"):
        mine, new = getattr(figure, field), getattr(again, field)
        if not _equal(mine, new):
            yield f"{field} is {_shown(mine)}, its evidence gives {_shown(new)}"
    inputs = dict(flat(figure.inputs)), dict(flat(again.inputs))
    for key in sorted({*inputs[0], *inputs[1]}):
        mine, new = inputs[0].get(key), inputs[1].get(key)
        if not _equal(mine, new):
            yield f"input {key} is {_shown(mine)}, its evidence gives {_shown(new)}"


def flat(inputs: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the inputs of a figure by dotted name."""
    for key, value in inputs.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _equal(mine: Any, new: Any) -> bool:
    if isinstance(mine, int | float) and isinstance(new, int | float):
        return math.isclose(mine, new, rel_tol=_DIGITS, abs_tol=1e-12)
    return bool(mine == new) or (isinstance(new, list | tuple) and mine == list(new))


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:.12g}" if isinstance(value, float) else str(worded(value, "en"))
