"""Adjusted baseline: what the site would have used, by regression on what drove it before.

The model is judged by CV(RMSE) and by the uncertainty of the saving, not by R²: a site whose use
hardly depends on its output has a low R² and may still be predicted well.

References
----------
[1] ASHRAE Guideline 14-2014, whole-facility approach: CV(RMSE), uncertainty of savings.
[2] EVO, IPMVP Core Concepts 2022: adjusted baseline, twelve months, 90 % confidence.
[3] GB/T 28750-2012, measurement and verification of energy savings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpi.errors import NotComputable
from kpi.reasons import because

LEAST_POINTS = 12
MOST_CV_RMSE = 0.25

# Student's t, 95th percentile for 1 to 30 degrees of freedom, that is 90 % between both sides.
# Above 30 the last one stands: it is a little too wide.
_T90 = (
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771,
    1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725, 1.721, 1.717, 1.714, 1.711, 1.708, 1.706,
    1.703, 1.701, 1.699, 1.697,
)  # fmt: skip

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """Energy = intercept + Σ slope · driver, with what its error is made of.

    residual is the standard error of one month [energy unit]; covariance that of the coefficients
    over residual²; ranges the least and largest value of each driver that the model has seen.
    """

    intercept: float
    slopes: tuple[float, ...]
    points: int
    residual: float
    cv_rmse: float
    r_squared: float | None
    ranges: tuple[tuple[float, float], ...]
    covariance: Floats

    @property
    def freedom(self) -> int:
        """Return the degrees of freedom of the residuals."""
        return self.points - 1 - len(self.slopes)


@dataclass(frozen=True, slots=True)
class Saving:
    """Predicted minus measured [energy unit] with its half-width at 90 % confidence.

    outside counts the months with a driver beyond what the baseline has seen.
    """

    predicted: float
    measured: float
    saving: float
    uncertainty: float
    outside: int


def fit(energy: Sequence[float], drivers: Sequence[Sequence[float]]) -> Model:
    """Fit a baseline to months, each with its energy and its drivers.

    Parameters
    ----------
    energy : by month [energy unit]
    drivers : by month, each the same drivers, such as output and degree days

    Returns
    -------
    Model : ordinary least squares

    Raises NotComputable for fewer than twelve months, drivers that did not vary or vary together,
    a use that falls with its first driver, and a CV(RMSE) above 25 %.

    References: [1], [2].
    """
    used = np.asarray(energy, np.float64)
    if len(used) < LEAST_POINTS:
        raise NotComputable(because("baseline_short", count=len(used), least=LEAST_POINTS))
    design = _design(drivers)
    if not (np.isfinite(used).all() and np.isfinite(design).all()) or len(design) != len(used):
        raise NotComputable(because("baseline_month_lacks"))
    # Columns of one size, so that the rank says what varies and not what is large.
    if np.linalg.matrix_rank(design / np.abs(design).max(axis=0).clip(min=1e-300)) < len(design.T):
        raise NotComputable(because("drivers_constant"))
    found, *_ = np.linalg.lstsq(design, used, rcond=None)
    model = _judged(design, used, np.asarray(found, np.float64))
    if model.slopes[0] < 0:
        raise NotComputable(because("energy_fell"))
    if model.cv_rmse > MOST_CV_RMSE:
        raise NotComputable(because("baseline_misses", misses=model.cv_rmse, most=MOST_CV_RMSE))
    return model


def saving(
    model: Model,
    measured: float,
    drivers: Sequence[Sequence[float]],
    weights: Sequence[float] | None = None,
) -> Saving:
    """Return what was saved over some months against the adjusted baseline.

    The uncertainty holds the error of the coefficients, which the months share, and the scatter of
    each month: t · residual · √(wᵀw + wᵀX(XᵀX)⁻¹Xᵀw).

    Parameters
    ----------
    measured : over all the months [energy unit]
    drivers : by month, as in the model
    weights : days of each month where the model is one of daily means; else 1 each

    References: [1], [2].
    """
    design = _design(drivers)
    weight = np.ones(len(design)) if weights is None else np.asarray(weights, np.float64)
    together = weight @ design
    predicted = float(together @ np.array([model.intercept, *model.slopes]))
    variance = float(weight @ weight) + float(together @ model.covariance @ together)
    t = _T90[min(model.freedom, len(_T90)) - 1]
    low, high = (np.array(side) for side in zip(*model.ranges, strict=True))
    beyond = (design[:, 1:] < low) | (design[:, 1:] > high)
    return Saving(
        predicted=predicted,
        measured=measured,
        saving=predicted - measured,
        uncertainty=t * model.residual * float(np.sqrt(variance)),
        outside=int(beyond.any(axis=1).sum()),
    )


def _design(drivers: Sequence[Sequence[float]]) -> Floats:
    given = np.asarray(drivers, np.float64).reshape(len(drivers), -1)
    return np.column_stack([np.ones(len(given)), given])


def _judged(design: Floats, used: Floats, found: Floats) -> Model:
    errors = used - design @ found
    freedom = len(used) - len(found)
    mean = float(used.mean())
    if freedom <= 0 or mean <= 0:
        raise NotComputable(because("baseline_empty"))
    residual = float(np.sqrt(errors @ errors / freedom))
    scatter = float(((used - mean) ** 2).sum())
    return Model(
        intercept=float(found[0]),
        slopes=tuple(float(slope) for slope in found[1:]),
        points=len(used),
        residual=residual,
        cv_rmse=residual / mean,
        r_squared=1 - float(errors @ errors) / scatter if scatter > 0 else None,
        ranges=tuple((float(column.min()), float(column.max())) for column in design[:, 1:].T),
        covariance=np.asarray(np.linalg.inv(design.T @ design), np.float64),
    )
