"""Energy from the readings of a meter to its figure, when the plan learns more later."""

from datetime import date
from typing import Any

import pytest

from store import figures, plans
from tests.kpi.plant import Plant, china, every, sample_plan

PER_KWH = 0.1229  # GB/T 2589-2020
NOW = china("2026-04-02 00:00")
EXCHANGED = "2026-03-15 12:30"


def march(plant: Plant, kpi: str = "standard_coal") -> list[figures.Figure]:
    """All revisions of March."""
    return figures.revisions(plant.conn, plant.factory_id, kpi, "month", date(2026, 3, 1))


def exchanged_meter(**fields: Any) -> dict[str, Any]:
    """The plan with the record of an exchange: from then on one unit is 10 kWh."""
    plan = sample_plan() | fields
    (meter,) = (asset["meter"] for asset in plan["assets"] if asset.get("meter"))
    meter["exchanges"] = [
        {
            "at": china(EXCHANGED).isoformat(),
            "old_final": 3_485.0,
            "new_initial": 0.5,
            "ratio": 10.0,
            "document": "exchange form",
        }
    ]
    return plan


def send_march(plant: Plant) -> None:
    """Send ten kWh an hour, by the old meter up to noon of the 15th and by the new one after."""
    plant.send(
        {
            "EM01.energy": [
                *every(60, china("2026-03-01 00:00"), china("2026-03-15 13:00"), 0, 10),
                *every(60, china("2026-03-15 13:00"), china("2026-04-01 01:00"), 1.0, 1),
            ]
        }
    )


def test_an_exchange_that_is_filed_later_makes_a_revision_of_the_month(plant: Plant) -> None:
    send_march(plant)
    plant.refresh(NOW)
    (unaware,) = march(plant)
    plans.load_plan(plant.conn, exchanged_meter())
    plant.refresh(NOW)
    _, aware = march(plant)
    assert unaware.point is not None
    assert aware.point == pytest.approx(744 * 10 * PER_KWH / 1000)
    assert aware.point is not None
    assert unaware.point < aware.point
    assert aware.low == pytest.approx(aware.point)


def test_the_same_plan_again_makes_no_revision(plant: Plant) -> None:
    plans.load_plan(plant.conn, exchanged_meter())
    send_march(plant)
    plant.refresh(NOW)
    plans.load_plan(plant.conn, exchanged_meter())
    plant.refresh(NOW)
    assert len(march(plant)) == 1


def test_another_factor_makes_a_revision_and_the_old_one_stays(plant: Plant) -> None:
    send_march(plant)
    plans.load_plan(plant.conn, exchanged_meter())
    plant.refresh(NOW)
    certified = [{"carrier": "electricity", "kgce_per_unit": 0.28, "source": "supplier"}]
    plans.load_plan(plant.conn, exchanged_meter(energy_factors=certified))
    plant.refresh(NOW)
    points = [each.point for each in march(plant, "standard_coal_equivalent")]
    assert points == pytest.approx([7_440 * 0.3055 / 1000, 7_440 * 0.28 / 1000])
    assert len(march(plant)) == 1
