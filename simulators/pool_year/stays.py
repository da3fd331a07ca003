"""In which state each factory is from when to when, and what the machine then proposes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from simulators.pool_year.days import BY_DAY, DAY, NIGHT, Moment, months_on
from simulators.pool_year.scenario import Factory, Year
from simulators.pool_year.warned import Expected, warnings_of

_WARNED_DAYS = 30
_RECTIFY_MONTHS = 3
_REVIEW_DAYS = 60

# To which state what people do leads.
_LEADS_TO = {
    "order_rectification": "rectify",
    "pass_rectification": "cultivating",
    "fail_rectification": "removed",
    "start_review": "review",
    "pass_review": "cultivating",
    "confirm_leave": "exited",
}


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in one state, with the last day of its term; `by` is what led to it."""

    state: str
    by: str
    begins: Moment
    ends: Moment | None
    due: date | None


@cache
def stays(year: Year, factory: Factory) -> list[Stay]:
    """Return the states of a factory in their order; the first one begins before the year."""
    warned = warnings_of(year, factory)
    found = [Stay("cultivating", "enter", (factory.entered, BY_DAY), None, None)]
    for day in year.days:
        state, is_warned = found[-1].state, any(each.is_open(day) for each in warned)
        if state == "cultivating" and is_warned:
            _enter(found, "watch", "warn", (day, NIGHT))
        elif state == "watch" and not is_warned:
            _enter(found, "cultivating", "clear_warning", (day, NIGHT))
        for act in factory.acts:
            if act.on == day and act.do in _LEADS_TO:
                _enter(found, _LEADS_TO[act.do], act.do, (day, BY_DAY))
    return found


def _enter(found: list[Stay], state: str, by: str, at: Moment) -> None:
    due = {
        "watch": at[0] + _WARNED_DAYS * DAY,
        "rectify": months_on(at[0], _RECTIFY_MONTHS),
        "review": at[0] + _REVIEW_DAYS * DAY,
    }.get(state)
    found[-1] = replace(found[-1], ends=at)
    found.append(Stay(state, by, at, None, due))


def proposals(year: Year) -> list[Expected]:
    """Return what the machine must propose: where a term passes and people have not decided."""
    return [each for factory in year.factories for each, _ in proposals_of(year, factory)]


def proposals_of(year: Year, factory: Factory) -> Iterator[tuple[Expected, Stay]]:
    """Yield each proposal of a factory with the stay that it is about."""
    for stay in stays(year, factory):
        if stay.due is None or stay.due >= year.last:
            continue
        made = stay.due + DAY
        if stay.ends is not None and stay.ends <= (made, NIGHT):
            continue
        ended = None
        if stay.ends is not None:
            # The night itself ends it, or the one after people decided.
            ended = stay.ends[0] + (DAY if stay.ends[1] == BY_DAY else 0 * DAY)
        yield Expected(factory.code, "deadline_passed", made, ended), stay
