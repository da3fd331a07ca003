"""Which letters the year must make, and on which day."""

from dataclasses import dataclass
from datetime import date

from simulators.pool_year.scenario import Year
from simulators.pool_year.stays import stays

# What a step makes by itself, and what is handed over before one.
_LETTERS = {
    "warn": "warning_notice",
    "order_rectification": "rectification_order",
    "pass_rectification": "rectification_opinion",
    "start_review": "review_notice",
    "pass_review": "review_opinion",
    "fail_rectification": "removal_decision",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of a day, and the last day of the term that it sets, if it sets one."""

    factory: str
    kind: str
    on: date
    term: date | None


def letters(year: Year) -> list[Letter]:
    """Return every letter of the year."""
    found = [
        Letter(factory.code, _LETTERS[stay.by], stay.begins[0], stay.due)
        for factory in year.factories
        for stay in stays(year, factory)
        if stay.by in _LETTERS
    ]
    told = [(factory.code, factory.done("removal_notice")) for factory in year.factories]
    return found + [Letter(code, "removal_notice", on, None) for code, on in told if on]
