"""Defect rate and yields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.errors import NotComputable
from kpi.formulas.quality import quality, rolled_yield


def test_published_first_time_right() -> None:
    """TeepTrak: 9 reworked and 5 scrapped of 312 leave 95.51 % right the first time."""
    found = quality(total=312, scrap=5, rework=9)
    assert found.first_pass_yield == pytest.approx(0.9551, abs=5e-5)
    assert found.defect_rate == pytest.approx(14 / 312)


def test_published_undisposed_units_are_refused() -> None:
    """mfgcalcs.com: 1 800 of 3 000 units without disposition would print 36.33 %."""
    with pytest.raises(NotComputable, match="disposition"):
        quality(total=3000, scrap=35, rework=75, passed_first=1090)


def test_all_units_disposed_is_accepted() -> None:
    assert quality(1200, 35, 75, passed_first=1090).first_pass_yield == pytest.approx(1090 / 1200)


def test_published_rolled_yield() -> None:
    """codingace.net: 960/1000, 950/980 and 945/970 roll to 90.66 %."""
    steps = [(1000, 960), (980, 950), (970, 945)]
    assert rolled_yield(steps) == pytest.approx(0.90663, abs=1e-5)


@pytest.mark.parametrize(
    ("total", "scrap", "rework", "passed"),
    [(0, 0, 0, None), (10, 6, 5, None), (10, -1, 0, None), (10, 1, 1, 9), (10, 1, 1, -1)],
)
def test_quality_refuses(total: float, scrap: float, rework: float, passed: float | None) -> None:
    with pytest.raises(NotComputable):
        quality(total, scrap, rework, passed)


@pytest.mark.parametrize("steps", [[], [(0, 0)], [(10, 11)], [(10, -1)]], ids=repr)
def test_rolled_yield_refuses(steps: list[tuple[float, float]]) -> None:
    with pytest.raises(NotComputable):
        rolled_yield(steps)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_shares_are_complete(scrap: int, rework: int, passed: int) -> None:
    found = quality(scrap + rework + passed, scrap, rework, passed)
    assert found.defect_rate == pytest.approx(found.scrap_ratio + found.rework_ratio)
    assert found.defect_rate + found.first_pass_yield == pytest.approx(1)
