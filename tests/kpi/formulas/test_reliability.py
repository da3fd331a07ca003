"""MTBF and MTTR by hand, and what cannot be had."""

import pytest

from kpi.errors import NotComputable
from kpi.formulas.reliability import reliability


def test_run_time_over_failures_and_the_mean_restoration() -> None:
    found = reliability(100 * 3600, 4, [1800, 3600, 5400])
    assert (found.mtbf_s, found.mttr_s) == (25 * 3600, 3600)
    assert found.mtbf_reason is None
    assert found.mttr_reason is None


def test_without_a_failure_there_is_a_reason_and_no_number() -> None:
    found = reliability(100 * 3600, 0, [])
    assert (found.mtbf_s, found.mttr_s) == (None, None)
    assert found.mtbf_reason == "no failure was seen in the period"


def test_a_failure_that_nobody_saw_end_gives_no_restoration() -> None:
    found = reliability(3600, 1, [])
    assert found.mtbf_s == 3600
    assert found.mttr_s is None
    assert found.mttr_reason == "no failure was seen from its beginning to its end"


def test_a_failure_cannot_last_less_than_nothing() -> None:
    with pytest.raises(NotComputable, match="length of a failure is negative"):
        reliability(3600, 1, [-1])
