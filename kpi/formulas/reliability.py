"""Mean time between failures and mean time to restoration.

References
----------
[1] IEC 60050-192:2015, entries 192-05-13 "mean operating time between failures" and 192-07-23
    "mean time to restoration".
[2] SEMI E10, MTBFp: productive time over the failures during it.
[3] S. Nakajima, Introduction to TPM, Productivity Press, 1988: a minor stoppage is no breakdown;
    the limit of five minutes is custom.
[4] ISO 22400-2:2014, KPIs "Mean operating time between failures" and "Mean time to restoration".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from kpi.formulas.checks import non_negative
from kpi.reasons import because

MINOR_STOPPAGE_S = 300.0


@dataclass(frozen=True)
class Reliability:
    """Failures [1], production time [s], MTBF and MTTR [s]; None where a reason says why not."""

    failures: int
    run_s: float
    mtbf_s: float | None
    mttr_s: float | None
    mtbf_reason: str | None = None
    mttr_reason: str | None = None


def reliability(run_s: float, failures: int, restored_s: Sequence[float]) -> Reliability:
    """MTBF = APT / failures, and MTTR = the mean time from failure to restoration.

    Without any failure the mean time between them is not infinite: it was not observed. Failures
    whose beginning or end nobody saw count for MTBF, their lengths do not count for MTTR. The
    standard [4] is quoted with one more than the failures below the line; that gives a number
    without any failure, so it is not followed here.

    Parameters
    ----------
    run_s : actual production time APT in which the failures were looked for [s]
    failures : stops in planned time that were no minor stoppage [1]
    restored_s : length of each failure that was seen whole [s]

    Returns
    -------
    Reliability : MTBF, MTTR [s]

    References: [1], [2], [3], [4].
    """
    run_s = non_negative("run time", run_s)
    lengths = [non_negative("length of a failure", each) for each in restored_s]
    mtbf_reason: str | None = None
    mttr_reason: str | None = None
    if failures == 0:
        mtbf_reason = mttr_reason = because("no_failure")
    elif not lengths:
        mttr_reason = because("no_whole_failure")
    return Reliability(
        failures=failures,
        run_s=run_s,
        mtbf_s=run_s / failures if failures else None,
        mttr_s=fsum(lengths) / len(lengths) if lengths else None,
        mtbf_reason=mtbf_reason,
        mttr_reason=mttr_reason,
    )
