"""Overall equipment effectiveness and its roll-up.

References
----------
[1] ISO 22400-2:2014, KPIs "Availability", "Effectiveness", "Quality ratio", "OEE index"
    (GB/T 34044.2).
[2] S. Nakajima, Introduction to TPM, Productivity Press, 1988.
[3] Vorne Industries, The Fast Guide to OEE: TEEP against calendar time.
[4] oee.coach, calculation example 12: unlike products weighted by ideal time (74.1 %, not 79.1 %).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kpi.errors import NotComputable
from kpi.formulas.checks import at_most, non_negative, positive, ratio
from kpi.reasons import because

# No ideal cycle is ten times too long: such a value is a percentage.
MOST_PERFORMANCE = 10.0


@dataclass(frozen=True)
class Oee:
    """OEE with the factors that explain it, all 0…1; performance alone may exceed 1."""

    availability: float | None
    performance: float | None
    quality: float | None
    oee: float
    teep: float | None = None


@dataclass(frozen=True)
class OeePart:
    """What one machine, product or shift adds to a roll-up; times share one unit."""

    planned: float
    run: float
    ideal_cycle: float
    total: float
    good: float


def from_sums(
    planned: float,
    run: float | None,
    ideal_total: float,
    ideal_good: float,
    all_time: float | None = None,
) -> Oee:
    """Form OEE once, from sums over machines, products and shifts.

    OEE is ideal time of good units over planned time, so it holds even where the run time is
    unknown; availability and performance are then None. Performance is never capped: above 1 it
    shows that the ideal cycle is too long. Nothing produced gives OEE 0 and no quality.

    Parameters
    ----------
    planned : planned busy time PBT [time]
    run : actual production time APT inside the planned time [time], None if unknown
    ideal_total : Σ PRU · PQ, ideal time of all units [time]
    ideal_good : Σ PRU · GQ, ideal time of good units [time]
    all_time : calendar time [time], gives TEEP

    Returns
    -------
    Oee : ratios [1]

    Raises NotComputable where nothing was planned, a sum is negative, run exceeds planned time,
    good exceeds total, or units were counted although the run time is zero.

    References: [1], [3].
    """
    planned = positive("planned time", planned)
    ideal_total = non_negative("ideal time of all units", ideal_total)
    ideal_good = non_negative("ideal time of good units", ideal_good)
    at_most("good quantity", ideal_good, "total quantity", ideal_total)
    availability = performance = None
    if run is not None:
        run = non_negative("run time", run)
        at_most("run time", run, "planned time", planned)
        if run == 0 and ideal_total > 0:
            raise NotComputable(because("output_without_run"))
        availability = run / planned
        performance = ratio(ideal_total, run)
    return Oee(
        availability=availability,
        performance=performance,
        quality=ratio(ideal_good, ideal_total),
        oee=ideal_good / planned,
        teep=None if all_time is None else _teep(ideal_good, planned, all_time),
    )


def _teep(ideal_good: float, planned: float, all_time: float) -> float:
    all_time = positive("all time", all_time)
    at_most("planned time", planned, "all time", all_time)
    return ideal_good / all_time


def oee(
    planned_time: float,
    run_time: float | None,
    ideal_cycle: float,
    total: float,
    good: float,
    all_time: float | None = None,
) -> Oee:
    """OEE of one machine and one product over one window.

    Parameters
    ----------
    planned_time, run_time, all_time : [time], any one unit; run_time None if unknown
    ideal_cycle : planned run time per unit PRU [time/unit]
    total, good : produced and good quantity [unit]; rework is not good

    Returns
    -------
    Oee : ratios [1], see `from_sums` for what is refused

    References: [1], [2], [3].
    """
    cycle = positive("ideal cycle", ideal_cycle)
    ideal_total = cycle * non_negative("total quantity", total)
    ideal_good = cycle * non_negative("good quantity", good)
    return from_sums(planned_time, run_time, ideal_total, ideal_good, all_time)


def oee_from_factors(availability: float, performance: float, quality: float) -> float:
    """OEE index as the product of its three factors.

    Only for factors of one window and one machine: products of averaged factors mean nothing.

    Parameters
    ----------
    availability, quality : [1], 0…1; a larger value is a percentage and is refused
    performance : [1], may exceed 1; ten times and more is a percentage and is refused

    Returns
    -------
    float : OEE [1]

    References: [1], [2].
    """
    available = non_negative("availability", availability)
    good = non_negative("quality", quality)
    at_most("availability", available, "its limit", 1.0)
    at_most("quality", good, "its limit", 1.0)
    speed = non_negative("performance", performance)
    at_most("performance", speed, "its limit", MOST_PERFORMANCE)
    return available * speed * good


def oee_rollup(parts: Iterable[OeePart]) -> Oee:
    """OEE of several machines, products or shifts: sums first, then one division.

    Unlike products are weighted by ideal time, never by pieces. A part may carry run time without
    planned time (two outputs of one machine side by side); only the sums must be consistent.
    A serial line is not the roll-up of its stations: use good units leaving the line and the
    bottleneck's cycle.

    Parameters
    ----------
    parts : planned, run [time], ideal_cycle [time/unit], total, good [unit]

    Returns
    -------
    Oee : ratios [1]

    References: [1], [4].
    """
    rows = [_checked(part) for part in parts]
    if not rows:
        raise NotComputable(because("no_part"))
    return from_sums(
        planned=sum(row.planned for row in rows),
        run=sum(row.run for row in rows),
        ideal_total=sum(row.ideal_cycle * row.total for row in rows),
        ideal_good=sum(row.ideal_cycle * row.good for row in rows),
    )


def _checked(part: OeePart) -> OeePart:
    """Refuse a part that no machine can have, before it hides in the sums."""
    good, total = non_negative("good quantity", part.good), non_negative("total", part.total)
    at_most("good quantity", good, "total quantity", total)
    return OeePart(
        planned=non_negative("planned time", part.planned),
        run=non_negative("run time", part.run),
        ideal_cycle=positive("ideal cycle", part.ideal_cycle),
        total=total,
        good=good,
    )
