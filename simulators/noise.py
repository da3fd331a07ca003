"""Repeatable noise: uniform numbers that depend on a key and on counters, and on nothing else.

A value for one asset and day is the same however much else is generated around it, so that
history, live servers and truth agree. The mixing function is SplitMix64 (Steele, Lea, Flood:
Fast splittable pseudorandom number generators, OOPSLA 2014).
"""

import hashlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def key(seed: int, *names: str) -> int:
    """Return the 64-bit key of a named stream of one seed."""
    text = "\x00".join((str(seed), *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def uniform(stream: int, *counters: npt.ArrayLike) -> Floats:
    """Return uniform numbers in (0, 1), one for each element of the broadcast counters."""
    with np.errstate(over="ignore"):
        state = np.asarray(stream, np.uint64)
        for counter in counters:
            steps = np.asarray(counter).astype(np.int64).astype(np.uint64)
            state = _mix(state + (steps + np.uint64(1)) * _GAMMA)
    return (np.asarray(state >> np.uint64(11), np.float64) + 0.5) * 2.0**-53


def between(low: npt.ArrayLike, high: npt.ArrayLike, share: Floats) -> Floats:
    """Return the values that lie at the given shares of the way from low to high."""
    start = np.asarray(low, np.float64)
    return np.asarray(start + (np.asarray(high, np.float64) - start) * share)


def _mix(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    return state ^ (state >> np.uint64(31))
