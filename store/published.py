"""What was published of a factory, as the follow-up feed told it, beside what is stored now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Announced:
    """A closed figure that the feed tells otherwise; None where one of the two is missing."""

    figure_id: int
    kpi: str
    period_kind: str
    period_start: date
    period_end: date
    told: Mapping[str, Any] | None
    stored: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one kind of verdict in turn, as the feed told them and as they are stored."""

    kpi: str
    period_start: date
    what: str
    told: list[str]
    stored: list[str]


@dataclass(frozen=True, slots=True)
class Given:
    """A verdict and the figure that it was given on."""

    kpi: str
    period_start: date
    period_end: date
    before_value: float | None
    expected_value: float | None
    reported_value: float | None
    fulfilment: float | None
    fulfilment_low: float | None
    fulfilment_high: float | None
    fulfilment_verdict: str
    deviation: float | None
    consistency_verdict: str
    policy_version: str
    unit: str
    point: float | None
    low: float | None
    high: float | None
    coverage: float
    # Of what was measured before, None where nothing was.
    before_low: float | None = None
    before_high: float | None = None
    before_coverage: float | None = None


def differing_figures(conn: Connection, factory_id: int) -> list[Announced]:
    """Return the closed figures of a factory that are not what the feed told of them."""
    with transaction(conn):
        rows = conn.execute(query("announced_figures"), {"factory_id": factory_id})
        return [Announced(*row) for row in rows]


def differing_words(conn: Connection, factory_id: int) -> list[Words]:
    """Return the verdicts of a factory whose words are not those that the feed told in turn."""
    with transaction(conn):
        rows = conn.execute(query("announced_words"), {"factory_id": factory_id})
        return [Words(*row) for row in rows]


def given(conn: Connection, factory_id: int) -> list[Given]:
    """Return the verdicts of a factory with their figures."""
    with transaction(conn):
        rows = conn.execute(query("verdicts_with_figures"), {"factory_id": factory_id})
        return [Given(*row) for row in rows]
