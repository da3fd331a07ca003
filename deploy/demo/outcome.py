"""What the demo shows and checks: every verified figure beside the simulator's truth."""

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import store
from api.kpis import KPIS
from kpi.reasons import said
from store import figures, findings, registry
from store.figures import Figure, Promise, Verdict

# Ratios in percentage points, everything else relative; counts must be exact.
_RATIO_WITHIN = 0.005
_RELATIVE_WITHIN = 0.005
_ROUNDING = 1e-9

# Estimates of a model of this system: what would have been used, the simulator does not know.
_MODELLED = frozenset({"energy_saving"})

# What a simulator says of its factory; of a KPI a value, or None where it must be refused.
Truth = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """A verified figure and the truth of the same period.

    The truth is None where the figure must be refused; is_told is False where the simulator says
    nothing of the KPI at all.
    """

    factory: registry.Factory
    figure: Figure
    truth: float | None
    is_told: bool = True

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

        Its bounds must hold the truth; with `close` its point must also lie near it. What must be
        refused has no number, and of what the simulator does not know there is only a model's.
        """
        name = f"{self.factory.code} {self.figure.kpi} {self.figure.period_start:%Y-%m}"
        figure, truth = self.figure, self.truth
        if not self.is_told:
            return None if figure.kpi in _MODELLED else f"{name}: no truth tells of it"
        if truth is None:
            return None if figure.point is None else f"{name}: verified, yet it must be refused"
        if figure.point is None or figure.low is None or figure.high is None:
            return f"{name}: not verified ({said(figure.reason, 'en')})"
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


def compared(
    factory: registry.Factory, figure: Figure, true: Mapping[str, float | None]
) -> Compared:
    """Put a figure beside what the simulator says of its period."""
    return Compared(factory, figure, true.get(figure.kpi), figure.kpi in true)


def baselines(url: str, truths: Mapping[str, Truth]) -> list[Compared]:
    """Return the verified year before the renovation of each factory."""
    with closing(store.connect(url)) as conn:
        return [
            each
            for factory in registry.factories(conn)
            for each in _year(conn, factory, factory.baseline_from, truths, "baseline")
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
            yield compared(factory, figure, truths[factory.code][window])


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
                    found.append(compared(factory, figure, by_month[month]))
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


def troubles(url: str, truths: Mapping[str, Truth]) -> tuple[int, list[str]]:
    """Return how many findings the troubles must lead to, and what is missing or not foreseen.

    What only live data can show is left out. Of the months that were checked, none may have a
    finding of severity fail that no trouble explains.
    """
    count, complaints = 0, []
    with closing(store.connect(url)) as conn:
        for factory in registry.factories(conn):
            expected = {
                (each["month"], each["rule"], each["severity"], each["subject"])
                for each in truths[factory.code]["findings"]
                if not each["live"]
            }
            found = {
                (f"{each.period_start:%Y-%m}", each.rule, each.severity, each.subject)
                for each in findings.listed(conn, factory.factory_id)
            }
            count += len(expected)
            names = (" ".join(each) for each in sorted(expected - found))
            complaints += [f"{factory.code} {name}: not found" for name in names]
            more = sorted(each for each in found - expected if each[2] == "fail")
            complaints += [f"{factory.code} {' '.join(each)}: not foreseen" for each in more]
    return count, complaints
