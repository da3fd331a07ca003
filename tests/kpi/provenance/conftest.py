"""A month of a small factory whose figures are formed."""

from datetime import date

import pytest

import store
from store import provenance
from store.figures import Figure
from tests.kpi.plant import Plant, china, heard, lot, machine_day

IN_APRIL = china("2026-04-02 09:20")
MARCH = date(2026, 3, 1)


@pytest.fixture
def formed(db: store.Connection, database_url: str) -> Plant:
    """A factory with two machine days, a lot and a heard system in March; April has begun."""
    plant = Plant.load(db, database_url)
    plant.send(heard(MARCH, date(2026, 4, 1)))
    for code in ("M01", "M02"):
        plant.send(machine_day(code, "2026-03-02"))
    plant.send({"EM01.energy": [(china(f"2026-03-02 {h:02}:00"), 5.0 * h) for h in range(12)]})
    plant.tell(lot("2026-03-02", 4), lot("2026-03-03", 6))
    plant.refresh(IN_APRIL)
    return plant


def march(plant: Plant, kpi: str) -> Figure:
    """The newest figure of a KPI in March."""
    found = store.figures.revisions(plant.conn, plant.factory_id, kpi, "month", MARCH)
    return provenance.figure(plant.conn, found[-1].figure_id)[1]
