"""The adjusted baseline: published regressions, the uncertainty of a saving, and refusals."""

import numpy as np
import pytest

from kpi.energy.baseline import fit, saving
from kpi.errors import NotComputable

# NIST StRD, linear regression, data set Norris: (y, x).
NORRIS = (
    (0.1, 0.2), (338.8, 337.4), (118.1, 118.2), (888.0, 884.6), (9.2, 10.1), (228.1, 226.5),
    (668.5, 666.3), (998.5, 996.3), (449.1, 448.6), (778.9, 777.0), (559.2, 558.2), (0.3, 0.4),
    (0.1, 0.6), (778.1, 775.5), (668.8, 666.9), (339.3, 338.0), (448.9, 447.5), (10.8, 11.6),
    (557.7, 556.0), (228.3, 228.1), (998.0, 995.8), (888.8, 887.6), (119.6, 120.2), (0.3, 0.3),
    (0.6, 0.3), (557.6, 556.8), (339.3, 339.1), (888.0, 887.2), (998.5, 999.0), (778.9, 779.0),
    (10.2, 11.1), (117.6, 118.3), (228.9, 229.2), (668.4, 669.1), (449.2, 448.9), (0.2, 0.5),
)  # fmt: skip
OUTPUT = [100.0, 120, 90, 110, 130, 95, 105, 125, 115, 85, 100, 140]


def used(noise: float = 0.0, seed: int = 1) -> list[float]:
    """Twelve months that use 50 and 2 for each unit of output."""
    scatter = np.random.default_rng(seed).normal(0, noise, len(OUTPUT)) if noise else 0.0
    return [float(each) for each in 50 + 2 * np.array(OUTPUT) + scatter]


def test_a_certified_regression() -> None:
    """NIST StRD Norris: intercept, slope and residual standard deviation to ten digits."""
    found = fit([y for y, _ in NORRIS], [[x] for _, x in NORRIS])
    assert found.intercept == pytest.approx(-0.262323073774029, rel=1e-9)
    assert found.slopes[0] == pytest.approx(1.00211681802045, rel=1e-10)
    assert found.residual == pytest.approx(0.884796396144373, rel=1e-9)
    assert found.r_squared == pytest.approx(0.999993745883712, rel=1e-10)


def test_more_output_is_no_loss_and_less_is_no_saving() -> None:
    model = fit(used(), [[each] for each in OUTPUT])
    found = saving(model, measured=12 * 50 + 2 * 2400, drivers=[[200.0]] * 12)
    assert found.saving == pytest.approx(0, abs=1e-6)
    assert found.outside == 12
    assert saving(model, 12 * 50 + 2 * 1080, [[90.0]] * 12).saving == pytest.approx(0, abs=1e-6)


def test_what_was_saved_is_found_within_its_uncertainty() -> None:
    """In 90 of 100 draws the interval holds the true saving of 300; here at least 80."""
    held = 0
    for seed in range(100):
        model = fit(used(noise=10, seed=seed), [[each] for each in OUTPUT])
        scatter = np.random.default_rng(1000 + seed).normal(0, 10, 12).sum()
        measured = sum(used()) - 300 + float(scatter)
        found = saving(model, measured, [[each] for each in OUTPUT])
        held += abs(found.saving - 300) <= found.uncertainty
    assert 80 <= held <= 99


def test_the_uncertainty_of_one_month_is_the_prediction_interval_of_the_textbook() -> None:
    """t · s · √(1 + 1/n + (x - x̄)² / Σ(x - x̄)²), with t = 1.812 for ten degrees of freedom."""
    model = fit(used(noise=10), [[each] for each in OUTPUT])
    mean = np.mean(OUTPUT)
    spread = float(((np.array(OUTPUT) - mean) ** 2).sum())
    wanted = 1.812 * model.residual * np.sqrt(1 + 1 / 12 + (150 - mean) ** 2 / spread)
    assert saving(model, 0.0, [[150.0]]).uncertainty == pytest.approx(wanted)


def test_daily_means_weigh_each_month_by_its_days() -> None:
    model = fit(used(noise=10), [[each] for each in OUTPUT])
    found = saving(model, 31 * 250.0, [[100.0]], [31.0])
    one_day = saving(model, 250.0, [[100.0]])
    assert found.saving == pytest.approx(31 * one_day.saving)
    assert found.uncertainty == pytest.approx(31 * one_day.uncertainty)


def test_two_drivers_take_one_more_degree_of_freedom() -> None:
    degree_days = [300.0, 250, 200, 100, 40, 0, 0, 0, 20, 90, 180, 280]
    energy = 50 + 2 * np.array(OUTPUT) + 0.5 * np.array(degree_days)
    model = fit(energy.tolist(), list(zip(OUTPUT, degree_days, strict=True)))
    assert model.slopes == pytest.approx((2, 0.5))
    assert model.freedom == 9


def test_a_baseline_of_less_than_twelve_months_is_refused() -> None:
    with pytest.raises(NotComputable, match="has 11 complete months; a regression needs 12"):
        fit(used()[:11], [[each] for each in OUTPUT[:11]])


def test_output_that_never_varied_explains_nothing() -> None:
    with pytest.raises(NotComputable, match="did not vary"):
        fit(used(), [[100.0]] * 12)


def test_a_model_that_misses_its_own_months_is_refused() -> None:
    energy = [10.0, 900, 20, 800, 1000, 15, 30, 700, 900, 10, 1100, 500]
    with pytest.raises(NotComputable, match=r"CV\(RMSE\)"):
        fit(energy, [[each] for each in OUTPUT])


def test_energy_that_falls_with_output_is_no_baseline() -> None:
    with pytest.raises(NotComputable, match="fell as output rose"):
        fit([1000 - 2 * each for each in OUTPUT], [[each] for each in OUTPUT])


def test_a_month_without_its_output_is_no_month() -> None:
    with pytest.raises(NotComputable, match="lacks its energy or a driver"):
        fit(used(), [*([each] for each in OUTPUT[:11]), [float("nan")]])
