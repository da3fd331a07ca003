"""Noise depends on its key and counters only, and is uniform."""

import numpy as np

from simulators import noise


def test_a_value_does_not_depend_on_its_neighbours() -> None:
    stream = noise.key(7, "log", "M01")
    whole = noise.uniform(stream, np.arange(1000)[:, None], np.arange(5)[None, :])
    part = noise.uniform(stream, np.arange(400, 410)[:, None], np.arange(5)[None, :])
    assert np.array_equal(whole[400:410], part)


def test_streams_differ_by_seed_and_name() -> None:
    values = [
        float(noise.uniform(noise.key(seed, *names), 3))
        for seed, names in ((1, ("a", "b")), (2, ("a", "b")), (1, ("ab", "")), (1, ("b", "a")))
    ]
    assert len(set(values)) == 4


def test_values_are_uniform_and_never_zero_or_one() -> None:
    values = noise.uniform(noise.key(1, "x"), np.arange(200_000))
    assert values.min() > 0
    assert values.max() < 1
    assert abs(values.mean() - 0.5) < 0.003
    counts, _ = np.histogram(values, bins=20, range=(0, 1))
    assert counts.min() > 9_500


def test_neighbouring_counters_are_not_correlated() -> None:
    values = noise.uniform(noise.key(1, "x"), np.arange(100_000))
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.02
