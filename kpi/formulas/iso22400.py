"""KPIs of one work unit from the time and quantity elements of ISO 22400-2.

References
----------
[1] ISO 22400-2:2014 (GB/T 34044.2), clauses on time elements and on the KPIs named below.
[2] N. Kang et al., A hierarchical structure of key performance indicators for operation
    management, Int. J. Production Research 54 (2016), which counts the 34 KPIs.
"""

from dataclasses import dataclass

from kpi.formulas.checks import at_most, non_negative, positive, ratio
from kpi.formulas.oee import from_sums


@dataclass(frozen=True)
class Elements:
    """Elements of one work unit and window under the standard's own symbols.

    APT, ASUT, ADET, PBT are production, setup, delay and planned busy time [time]; PRU is the
    planned run time per unit [time/unit]; PQ, GQ, SQ, RQ are produced, good, scrap and rework
    quantity [unit].
    """

    APT: float
    ASUT: float
    ADET: float
    PBT: float
    PRU: float
    PQ: float
    GQ: float
    SQ: float
    RQ: float


@dataclass(frozen=True)
class Iso22400:
    """Derived times [time] and KPIs [1]; None where a denominator is zero."""

    AUPT: float
    AUBT: float
    availability: float | None
    effectiveness: float | None
    quality_ratio: float | None
    OEE_index: float
    NEE_index: float | None
    technical_efficiency: float | None
    setup_ratio: float | None
    utilization_efficiency: float | None
    allocation_efficiency: float
    scrap_ratio: float | None
    rework_ratio: float | None


def iso22400(e: Elements) -> Iso22400:
    """Work out the work-unit KPIs of ISO 22400-2 from its elements.

    Availability, also with setup, quality ratio, scrap ratio and rework ratio cannot exceed 1, so
    elements that would make them do are refused as contradictory, and so is a unit that is both
    good and scrap; effectiveness may exceed 1 and is not capped.
    Setup is a loss in the OEE index and none in the NEE index.

    Parameters
    ----------
    e : elements, times in one unit

    Returns
    -------
    Iso22400 : AUPT = ASUT + APT and AUBT = AUPT + ADET [time], KPIs [1]

    References: [1], [2].
    """
    apt, asut, adet = (non_negative(n, getattr(e, n)) for n in ("APT", "ASUT", "ADET"))
    pbt, pru = positive("PBT", e.PBT), positive("PRU", e.PRU)
    pq, gq, sq, rq = (non_negative(n, getattr(e, n)) for n in ("PQ", "GQ", "SQ", "RQ"))
    at_most("GQ + SQ", gq + sq, "PQ", pq)
    at_most("RQ", rq, "PQ", pq)
    index = from_sums(planned=pbt, run=apt, ideal_total=pru * pq, ideal_good=pru * gq)
    aupt = asut + apt
    at_most("AUPT", aupt, "PBT", pbt)
    aubt = aupt + adet
    return Iso22400(
        AUPT=aupt,
        AUBT=aubt,
        availability=index.availability,
        effectiveness=index.performance,
        quality_ratio=index.quality,
        OEE_index=index.oee,
        NEE_index=nee_index(pbt, apt, asut, pru * gq),
        technical_efficiency=ratio(apt, apt + adet),
        setup_ratio=ratio(asut, aupt),
        utilization_efficiency=ratio(apt, aubt),
        allocation_efficiency=aubt / pbt,
        scrap_ratio=ratio(sq, pq),
        rework_ratio=ratio(rq, pq),
    )


def nee_index(planned: float, run: float, setup: float, ideal_good: float) -> float | None:
    """Net equipment effectiveness from sums: OEE in which setup is no loss.

    (AUPT / PBT) · effectiveness · quality ratio, which is (APT + ASUT) / APT times the OEE index.

    Parameters
    ----------
    planned : PBT [time]
    run : APT [time]; without production time there is no NEE and None is given
    setup : ASUT [time]
    ideal_good : Σ PRU · GQ [time]

    Returns
    -------
    float | None : NEE index [1]

    References: [1].
    """
    planned = positive("planned time", planned)
    if run <= 0:
        return None
    return (run + setup) / run * ideal_good / planned
