"""What the demo shows and checks: every verified figure beside the simulator's truth."""

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import store
from api.kpis import KPIS
from store import figures, registry
from store.figures import Figure, Promise, Verdict

# Ratios in percentage points, everything else relative; counts must be exact.
_RATIO_WITHIN = 0.005
_RELATIVE_WITHIN = 0.005
_ROUNDING = 1e-9

# Estimates of a model of this system: what would have been used, the simulator does not know.
_MODELLED = frozenset({"energy_saving"})

Truth = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Compared:
    """A verified figure and the truth of the same period; truth None where none exists."""

    factory: registry.Factory
    figure: Figure
    truth: float | None

    @property
    def difference(self) -> float | None:
        """Verified minus true: of a ratio in ratio, of a count in units, else relative."""
        if self.figure.point is None or self.truth is None:
            return None
        gap = self.figure.point - self.truth
        if self.figure.unit in ("1", "count") or gap == 0:
            return gap
        return gap / self.truth if self.truth else math.inf

    def complaint(self, *, close: bool = True) -> str | None:
        """Say what is wrong with the figure, or return None.

        Its bounds must hold the truth; with `close` its point must also lie near it.
        """
        name = f"{self.factory.code} {self.figure.kpi} {self.figure.period_start:%Y-%m}"
        figure, truth = self.figure, self.truth
        if truth is None:
            modelled = figure.point is None or figure.kpi in _MODELLED
            return None if modelled else f"{name}: verified, yet no truth exists"
        if figure.point is None or figure.low is None or figure.high is None:
            return f"{name}: not verified ({figure.reason})"
        slack = _ROUNDING * max(abs(truth), 1.0)
        if not figure.low - slack <= truth <= figure.high + slack:
            return f"{name}: {figure.low:.6g} to {figure.high:.6g} does not hold {truth:.6g}"
        if close and not self._is_close():
            return f"{name}: {figure.point:.6g} is too far from {truth:.6g}"
        return None

    def _is_close(self) -> bool:
        gap = abs(self.difference or 0.0)
        if self.figure.unit == "count":
            return gap == 0
        return gap <= (_RATIO_WITHIN if self.figure.unit == "1" else _RELATIVE_WITHIN)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the demo's table."""

    compared: Compared
    verdict: Verdict | None
    promise: Promise | None


def rows(url: str, truths: Mapping[str, Truth]) -> list[Row]:
    """Return the verified year after the renovation of each factory, KPI by KPI."""
    found = []
    with closing(store.connect(url)) as conn:
        for factory in registry.factories(conn):
            verdicts = {
                each.kpi: each
                for each in figures.verdicts(conn, factory.factory_id, factory.renovated_on)
            }
            promises = figures.promises(conn, factory.factory_id)
            after = {
                each.figure.kpi: each
                for each in _year(conn, factory, factory.renovated_on, truths, "after")
            }
            found += [
                Row(after[kpi.kpi_id], verdicts.get(kpi.kpi_id), promises.get(kpi.kpi_id))
                for kpi in KPIS
                if kpi.kpi_id in after
            ]
    return found


def baselines(url: str, truths: Mapping[str, Truth]) -> list[Compared]:
    """Return the verified year before the renovation of each factory."""
    with closing(store.connect(url)) as conn:
        return [
            compared
            for factory in registry.factories(conn)
            for compared in _year(conn, factory, factory.baseline_from, truths, "baseline")
        ]


def _year(
    conn: store.Connection,
    factory: registry.Factory,
    start: date,
    truths: Mapping[str, Truth],
    window: str,
) -> Iterator[Compared]:
    known = figures.latest(conn, factory.factory_id, period_kind="rolling12")
    for figure in known:
        if figure.period_start == start:
            yield Compared(factory, figure, truths[factory.code][window].get(figure.kpi))


def months(url: str, truths: Mapping[str, Truth]) -> list[Compared]:
    """Return the verified closed months for which the simulator tells the truth."""
    found = []
    with closing(store.connect(url)) as conn:
        for factory in registry.factories(conn):
            truth = truths[factory.code]
            by_month = {**truth["baseline_months"], **truth["after_months"]}
            for figure in figures.latest(conn, factory.factory_id, period_kind="month"):
                month = f"{figure.period_start:%Y-%m}"
                if month in by_month:
                    found.append(Compared(factory, figure, by_month[month].get(figure.kpi)))
    return found


def unformed(url: str, truths: Mapping[str, Truth]) -> list[str]:
    """Name each figure that the truth knows and that was not formed."""
    found = []
    with closing(store.connect(url)) as conn:
        for factory in registry.factories(conn):
            truth = truths[factory.code]
            years = {factory.baseline_from: "baseline", factory.renovated_on: "after"}
            known = {
                (years.get(figure.period_start), figure.kpi)
                for figure in figures.latest(conn, factory.factory_id, period_kind="rolling12")
            } | {
                (f"{figure.period_start:%Y-%m}", figure.kpi)
                for figure in figures.latest(conn, factory.factory_id, period_kind="month")
            }
            by_month = {**truth["baseline_months"], **truth["after_months"]}
            windows = {name: truth[name] for name in years.values()} | by_month
            found += [
                f"{factory.code} {kpi} {window}: no figure was formed"
                for window, kpis in windows.items()
                for kpi in kpis
                if (window, kpi) not in known
            ]
    return found
