"""A month of a small factory whose figures are formed."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from functools import cache

import pytest

import store
from store import provenance
from store.figures import Figure
from tests.kpi.plant import Plant, china, heard, lot, machine_day
from tests.support.database import cloned_database, filled_template

IN_APRIL = china("2026-04-02 09:20")
MARCH = date(2026, 3, 1)


def _form(conn: store.Connection, url: str) -> Plant:
    plant = Plant.load(conn, url)
    plant.send(heard(MARCH, date(2026, 4, 1)))
    for code in ("M01", "M02"):
        plant.send(machine_day(code, "2026-03-02"))
    plant.send({"EM01.energy": [(china(f"2026-03-02 {h:02}:00"), 5.0 * h) for h in range(12)]})
    plant.tell(lot("2026-03-02", 4), lot("2026-03-03", 6))
    plant.refresh(IN_APRIL)
    return plant


@cache
def _formed_once(server_url: str) -> tuple[str, Plant]:
    """Form the factory's figures once; each test has a copy of the database."""
    return filled_template(server_url, _form)


def formed_template(server_url: str) -> str:
    """Return the name of the database that `formed` clones."""
    return _formed_once(server_url)[0]


@pytest.fixture
def formed(database_server: str) -> Iterator[Plant]:
    """A factory with two machine days, a lot and a heard system in March; April has begun."""
    name, plant = _formed_once(database_server)
    with cloned_database(database_server, name) as url, closing(store.connect(url)) as conn:
        yield replace(plant, url=url, conn=conn, gateway=replace(plant.gateway))


def march(plant: Plant, kpi: str) -> Figure:
    """The newest figure of a KPI in March."""
    found = store.figures.revisions(plant.conn, plant.factory_id, kpi, "month", MARCH)
    return provenance.figure(plant.conn, found[-1].figure_id)[1]
