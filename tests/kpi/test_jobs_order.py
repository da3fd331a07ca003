"""Figures follow from what was measured, not from how it came: order, splitting, repetition."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from store import batches
from store.canonical import Record, Rows, unique_sorted
from tests.kpi.plant import Plant, china, every, lot, machine_day, sample_plan

NOW = china("2026-03-04 09:20")
DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")


def world(source: np.random.Generator) -> dict[str, list[tuple[Any, float]]]:
    """Three days of two machines and a meter, with gaps, drops and spikes."""
    readings: dict[str, list[tuple[Any, float]]] = {}
    for number, day in enumerate(DAYS):
        for code in ("M01", "M02"):
            for name, rows in machine_day(code, day, 10, number * 320).items():
                readings.setdefault(name, []).extend(rows)
    start, end = china("2026-03-01 00:00"), china("2026-03-04 09:00")
    readings["EM01.energy"] = every(15, start, end, 5, 2.5)
    readings["ERP.link"] = [(china(f"{day} 00:00"), 1.0) for day in DAYS]
    return {
        name: [
            (at, 9e6 if odd < 0.03 else 0.0 if odd < 0.05 else value)
            for (at, value), odd in zip(rows, source.random(len(rows)), strict=True)
            if odd < 0.93
        ]
        for name, rows in readings.items()
    }


def figures(plant: Plant) -> list[tuple[Any, ...]]:
    """The newest revision of each figure, to the last digit."""
    return plant.conn.execute(
        "SELECT DISTINCT ON (kpi, period_kind, period_start) kpi, period_kind, period_start, point,"
        " low, high, coverage, grade, reason, inputs, inputs_sha256 FROM kpi.figure"
        " WHERE factory_id = %s ORDER BY kpi, period_kind, period_start, revision DESC",
        (plant.factory_id,),
    ).fetchall()


def facts(plant: Plant) -> list[tuple[Any, ...]]:
    """All facts but for what tells tags apart by their numbers."""
    rows = plant.conn.execute(
        "SELECT a.code, h.* FROM kpi.fact_hour h JOIN registry.asset a USING (asset_id)"
        " WHERE a.factory_id = %s ORDER BY a.code, h.hour",
        (plant.factory_id,),
    )
    names = [column.name for column in rows.description or ()]
    kept = [at for at, name in enumerate(names) if name not in ("asset_id", "digest")]
    return [tuple(row[at] for at in kept) for row in rows]


def send(plant: Plant, rows: Rows, records: tuple[Record, ...]) -> None:
    """Send a batch as a gateway does."""
    batches.accept(plant.conn, plant.gateway.batch(unique_sorted(rows)[0], records))


RECORDS = tuple(lot(day, defective) for day, defective in zip(DAYS, (3, 0, 7), strict=True))
_known: dict[str, int] = {}


def new_factory(plant: Plant) -> Plant:
    """Return another factory of the same plan in the same database."""
    number = _known["factories"] = _known.get("factories", 0) + 1
    return Plant.load(plant.conn, plant.url, sample_plan(f"sample-{number}"))


@settings(
    max_examples=3,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32 - 1),
    pieces=st.integers(1, 3),
    twice=st.floats(0, 1),
    between=st.booleans(),
)
@example(seed=1, pieces=1, twice=1.0, between=False)
@example(seed=2, pieces=2, twice=0.5, between=True)
def test_figures_do_not_depend_on_order_splitting_or_duplication(
    plant: Plant, seed: int, pieces: int, twice: float, between: bool
) -> None:
    source = np.random.default_rng(seed)
    readings = world(source)
    whole = new_factory(plant)
    send(whole, whole.rows(readings), RECORDS)
    whole.refresh(NOW)
    parts = new_factory(plant)
    rows = parts.rows(readings)
    order = source.permutation(len(rows))
    cut = [*np.array_split(order, pieces)]
    cut += [piece for piece in cut if source.random() < twice]
    for number in source.permutation(len(cut)):
        told = RECORDS[number % len(RECORDS) :] if number else RECORDS
        send(parts, rows.take(cut[number]), told)
        if between:
            parts.refresh(NOW)
    parts.refresh(NOW)
    assert len(figures(whole)) > 5
    assert facts(parts) == facts(whole)
    assert figures(parts) == figures(whole)
