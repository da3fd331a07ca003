"""Which product an asset makes when: changes of a day and campaigns of several days."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators import noise
from simulators.model import Conduct
from simulators.noise import Floats, Integers


@dataclass(frozen=True, slots=True)
class ProductPlan:
    """Up to two changes in each log day; at is the share of the day's time, NaN for none."""

    first: Integers
    second: Integers
    third: Integers
    second_at: Floats
    third_at: Floats


Working = Callable[[Integers], npt.NDArray[np.bool_]]


def plan(
    conduct: Conduct, stream: int, products: Integers, days: Integers, working: Working
) -> ProductPlan:
    """Return the products of some log days, the same for a day whatever the other days."""
    none = np.full(len(days), np.nan)
    if conduct.changes == "daily":
        return _daily(conduct, stream, products, days, working)
    if conduct.changes == "campaign":
        return _campaigns(conduct, stream, products, days)
    fixed = np.full(len(days), products[0] if len(products) else 0, np.int64)
    return ProductPlan(fixed, fixed, fixed, none, none)


def _daily(
    conduct: Conduct, stream: int, products: Integers, days: Integers, working: Working
) -> ProductPlan:
    count = len(products)
    first = _daily_last(conduct, stream, count, days - 1, working)
    detour = noise.uniform(stream, days, 2) < conduct.second_change
    last = _daily_last(conduct, stream, count, days, working)
    # The last product is fixed by the next day; a change in between goes by a third one.
    between = (np.minimum(first, last) + np.maximum(first, last)) * 2 % count
    between = np.where(first == last, (first + 1) % count, between)
    distinct = (between != first) & (between != last)
    moves = first != last
    two = moves & detour & distinct & (count >= 3)
    second_at = np.where(two, noise.between(0.2, 0.45, noise.uniform(stream, days, 3)), np.nan)
    third_at = np.where(moves, noise.between(0.55, 0.85, noise.uniform(stream, days, 4)), np.nan)
    second = np.where(two, between, first)
    third = np.where(moves, last, first)
    return ProductPlan(products[first], products[second], products[third], second_at, third_at)


def _daily_last(
    conduct: Conduct, stream: int, count: int, days: Integers, working: Working
) -> Integers:
    # Each week has its own order of products; a day that does not change keeps the previous one.
    last = np.floor(noise.uniform(stream, days // 7, 5) * count).astype(np.int64)
    for step in range(7):
        today = days - days % 7 + step
        wanted = noise.uniform(stream, today, 1) < conduct.first_change
        changes = (today <= days) & wanted & working(today)
        shift = 1 + np.floor(noise.uniform(stream, today, 6) * (count - 1)).astype(np.int64)
        last = np.where(changes, (last + shift) % count, last)
    return last


def _campaigns(conduct: Conduct, stream: int, products: Integers, days: Integers) -> ProductPlan:
    length = conduct.campaign_days
    offset = int(noise.uniform(stream, 7) * length)
    campaign = (days + offset) // length
    starts = (days + offset) % length == 0
    now = _campaign_product(stream, len(products), campaign)
    before = _campaign_product(stream, len(products), campaign - 1)
    at = noise.between(0.1, 0.8, noise.uniform(stream, days, 8))
    none = np.full(len(days), np.nan)
    first = np.where(starts, before, now)
    at = np.where(starts & (first != now), at, np.nan)
    return ProductPlan(products[first], products[now], products[now], at, none)


def _campaign_product(stream: int, count: int, campaign: Integers) -> Integers:
    # Neighbours differ: each campaign steps on by less than the number of grades.
    grade = np.zeros(len(campaign), np.int64)
    for step in range(4):
        each = campaign - campaign % 4 + step
        shift = 1 + np.floor(noise.uniform(stream, each, 9) * (count - 1)).astype(np.int64)
        grade = np.where(each <= campaign, (grade + shift) % count, grade)
    return grade
