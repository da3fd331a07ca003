"""Whether a figure is still what its facts and records give."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from kpi.figures import Evidence, Period, estimates
from kpi.figures import figure as figure_of
from kpi.figures.basis import digest
from kpi.provenance.basis import Problem, named_period
from store.figures import Figure, NewFigure

_FIELDS = ("unit", "point", "low", "high", "coverage", "grade", "reason")
_DIGITS = 1e-11


def name(factory: str, figure: Figure) -> str:
    """Return how messages call a figure."""
    period = named_period(figure.period_kind, figure.period_start, figure.period_end)
    return f"figure {figure.figure_id} ({factory} {figure.kpi} {period} revision {figure.revision})"


def formed(evidence: Evidence, figure: Figure) -> NewFigure | None:
    """Form a figure again from its factory's evidence; None where the KPI is gone."""
    period = Period(
        figure.period_kind, figure.period_start, figure.period_end, is_open="until" in figure.inputs
    )
    for estimate in estimates(evidence, period):
        if estimate.kpi == figure.kpi:
            return figure_of(figure.factory_id, period, estimate, evidence.until)
    return None


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
    return f"{value:.12g}" if isinstance(value, float) else "none" if value is None else str(value)
