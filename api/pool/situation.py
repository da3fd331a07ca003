"""All that the rules look at when they judge a step: one factory's membership at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from api.pool.policy import Policy


@dataclass(frozen=True, slots=True)
class OpenWarning:
    """A warning that was not cleared, with the numbers that fired it."""

    rule: str
    since: date
    subject: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of evidence: what happened when, by whom it was made, and what it says.

    authors are the accounts of all who made it; current means recorded since the state began;
    recorded is the day on which it was put on record, where that is known.
    """

    item_id: int
    kind: str
    on: date
    current: bool = True
    authors: frozenset[int] = frozenset()
    people: int = 1
    data: Mapping[str, Any] = field(default_factory=dict)
    recorded: date | None = None


@dataclass(frozen=True, slots=True)
class KpiVerdict:
    """Both verdicts on one KPI, on the newest rolling year that was judged."""

    kpi: str
    fulfilment: str
    consistency: str


@dataclass(frozen=True, slots=True)
class Situation:
    """A membership on a day of the city; items run from the oldest to the newest.

    deadline is the last day of the term that runs; heard_on the day on which data last arrived.
    """

    today: date
    state: str
    since: date
    entered: date
    policy: Policy
    deadline: date | None = None
    extensions: int = 0
    reviewed_on: date | None = None
    heard_on: date | None = None
    warnings: tuple[OpenWarning, ...] = ()
    items: tuple[Item, ...] = ()
    verdicts: tuple[KpiVerdict, ...] = ()
    request_open: bool = False

    def newest(self, *kinds: str, current: bool = True) -> Item | None:
        """Return the newest item of these kinds; current ones alone, unless said otherwise."""
        found = [
            item for item in self.items if item.kind in kinds and (item.current or not current)
        ]
        return found[-1] if found else None

    def without(self, account_id: int | None) -> "Situation":
        """Return the situation as if an account had made nothing of the evidence."""
        return replace(
            self, items=tuple(item for item in self.items if account_id not in item.authors)
        )

    def numbers(self) -> dict[str, Any]:
        """Return what is kept with a decision."""
        return {
            "today": self.today.isoformat(),
            "since": self.since.isoformat(),
            "entered": self.entered.isoformat(),
            "deadline": self.deadline and self.deadline.isoformat(),
            "extensions": self.extensions,
            "heard_on": self.heard_on and self.heard_on.isoformat(),
            "warnings": [
                {
                    "rule": each.rule,
                    "subject": each.subject,
                    "since": each.since.isoformat(),
                    "numbers": dict(each.numbers),
                }
                for each in self.warnings
            ],
            "items": [each.item_id for each in self.items if each.current],
            "verdicts": {each.kpi: [each.fulfilment, each.consistency] for each in self.verdicts},
        }
