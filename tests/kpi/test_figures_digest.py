"""The fingerprint of a figure's inputs, and what an open period adds to them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from kpi.figures import Estimate, Period, figure, grade
from tests.kpi.evidence import AFTER_MARCH, MARCH

ESTIMATE = Estimate(
    "oee", "1", 0.97, {"planned_s": 36_000.0, "good_s": 27_000.0}, point=0.75, low=0.74, high=0.76
)


def digest(estimate: Estimate, period: Period = MARCH) -> bytes:
    """The fingerprint of the figure that the estimate becomes."""
    return figure(1, period, estimate, AFTER_MARCH).inputs_sha256


def test_the_order_of_the_inputs_does_not_matter() -> None:
    turned = replace(ESTIMATE, inputs=dict(reversed(list(ESTIMATE.inputs.items()))))
    assert digest(turned) == digest(ESTIMATE)


@pytest.mark.parametrize(
    "changed",
    [
        {"inputs": {"planned_s": 36_000.0, "good_s": 27_000.001}},
        {"inputs": {"planned_s": 36_000.0, "made_s": 27_000.0}},
        {"point": 0.750_000_1},
        {"low": 0.7},
        {"high": 0.8},
        {"coverage": 0.96},
        {"point": None, "low": None, "high": None, "reason": "no data"},
    ],
    ids=lambda changed: "+".join(changed),
)
def test_any_difference_shows(changed: dict[str, Any]) -> None:
    assert digest(replace(ESTIMATE, **changed)) != digest(ESTIMATE)


def test_a_reason_in_other_words_shows() -> None:
    refused = Estimate("oee", "1", 0.97, {}, reason="no data")
    assert digest(replace(refused, reason="no plan")) != digest(refused)


def test_the_last_bits_of_a_sum_do_not_matter() -> None:
    inputs = {"planned_s": float(np.nextafter(36_000.0, 0)), "good_s": 27_000.0}
    assert digest(replace(ESTIMATE, inputs=inputs)) == digest(ESTIMATE)


def test_an_open_figure_says_up_to_when_it_goes() -> None:
    running = replace(MARCH, is_open=True)
    made = figure(1, running, ESTIMATE, AFTER_MARCH)
    assert made.inputs["until"] == "2026-03-31T16:00:00+00:00"
    later = figure(1, running, ESTIMATE, AFTER_MARCH + timedelta(hours=1))
    assert later.inputs_sha256 != made.inputs_sha256
    assert "until" not in figure(1, MARCH, ESTIMATE, AFTER_MARCH).inputs


@pytest.mark.parametrize("coverage", [-0.2, 1.3])
def test_coverage_stays_within_its_limits(coverage: float) -> None:
    made = figure(1, MARCH, replace(ESTIMATE, coverage=coverage), AFTER_MARCH)
    assert made.coverage == min(max(coverage, 0), 1)


@pytest.mark.parametrize(
    ("coverage", "word"),
    [(1, "A"), (0.95, "A"), (0.9499, "B"), (0.9, "B"), (0.8999, "C"), (0.75, "C"), (0.7499, "D")],
)
def test_grades_begin_at_their_thresholds(coverage: float, word: str) -> None:
    assert grade(coverage) == word
