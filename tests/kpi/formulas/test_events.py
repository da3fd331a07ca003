"""OEE from raw events."""

from typing import Any

import pytest

from kpi.errors import NotComputable
from kpi.formulas.events import oee_events

HOUR = 3600
SHIFT: dict[str, Any] = {
    "window": (0, 28_801),
    "planned_s": 28_800,
    "ideal_cycle_s": 21,
    "running_state": "running",
    "states": [(0, "running"), (14_633, "stopped"), (15_893, "running"), (28_800, "running")],
    "counts": [(0, 0, 0), (14_633, 673, 5), (15_893, 673, 5), (28_800, 1298, 13)],
}


def test_published_flux_example() -> None:
    """InfluxData Flux, experimental/oee: OEE 0.936979 of the shift in its documentation."""
    found = oee_events(**SHIFT)
    assert found.running_s == 27_541
    assert found.oee == pytest.approx(0.936979, abs=1e-6)
    assert found.quality == pytest.approx(0.989985, abs=1e-6)


def test_registers_before_and_after_the_window_only_carry() -> None:
    counts = [(-60, 400, 4), *((t, n + 400, b + 4) for t, n, b in SHIFT["counts"][1:])]
    found = oee_events(**{**SHIFT, "counts": [*counts, (40_000, 9000, 90)]})
    assert found.oee == oee_events(**SHIFT).oee


def test_without_states_the_running_time_is_unknown_but_oee_is_not() -> None:
    found = oee_events(**{**SHIFT, "states": []})
    assert (found.running_s, found.availability, found.performance) == (None, None, None)
    assert found.oee == oee_events(**SHIFT).oee


@pytest.mark.parametrize(
    "wrong",
    [
        {"counts": []},
        {"counts": [(0, 0, 0)]},
        {"counts": [(0, 0, 0), (HOUR, 10, 11)]},
        {"counts": [(40_000, 0, 0), (41_000, 5, 0)]},
        {"planned_s": 0},
        {"planned_s": HOUR},
        {"running_state": "RUN"},
    ],
    ids=repr,
)
def test_refuses(wrong: dict[str, Any]) -> None:
    with pytest.raises(NotComputable):
        oee_events(**{**SHIFT, **wrong})
