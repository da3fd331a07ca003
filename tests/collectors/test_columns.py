"""Columns say the same as samples."""

import numpy as np

from collectors.columns import Columns, TagTable, joined
from collectors.sample import Delivery, Sample
from collectors.status import BAD_TIMEOUT, GOOD

SAMPLES = [
    Sample("B", 5, 1.5, GOOD),
    Sample("A", 3, None, BAD_TIMEOUT),
    Sample("B", 4, -0.0, GOOD),
]


def test_a_tag_keeps_its_number() -> None:
    table = TagTable(["A", "B"])
    assert table.numbers(["B", "C", "A", "C"]).tolist() == [1, 2, 0, 2]
    assert (table.names, len(table)) == (["A", "B", "C"], 3)


def test_samples_become_columns_and_samples_again() -> None:
    table = TagTable(["A"])
    columns = Columns.of_samples(table, SAMPLES)
    assert columns.samples() == SAMPLES
    assert len(columns) == 3
    assert columns.take(np.array([True, False, True])).samples() == [SAMPLES[0], SAMPLES[2]]
    assert Columns.of_samples(table, []).samples() == []


def test_one_time_and_one_status_stand_for_all_rows() -> None:
    columns = Columns.of(TagTable(["A", "B"]), [0, 1], 7, [1.0, None], GOOD)
    assert columns.samples() == [Sample("A", 7, 1.0, GOOD), Sample("B", 7, None, GOOD)]


def test_blocks_join_in_their_order() -> None:
    table = TagTable()
    parts = [Columns.of_samples(table, [one]) for one in SAMPLES]
    assert joined(table, parts).samples() == SAMPLES
    assert joined(table, []).samples() == []


def test_a_delivery_shows_samples_before_columns() -> None:
    columns = Columns.of_samples(TagTable(), SAMPLES[1:])
    assert Delivery(samples=SAMPLES[:1], columns=[columns]).all_samples() == SAMPLES
