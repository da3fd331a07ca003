"""The term of a membership that a step begins, extends or leaves running."""

from dataclasses import replace

from api.pool import workdays
from api.pool.lifecycle import Transition
from api.pool.situation import Situation
from api.pool.workdays import Day
from store.memberships import Membership


def deadline_after(found: Membership, situation: Situation, transition: Transition) -> Day | None:
    """Return the last day of the term that runs after a step on the day of the situation."""
    running_on = found.deadline if transition.to == found.state else None
    if transition.deadline is None:
        return None if running_on is None else Day(running_on, found.deadline_estimated)
    begins = found.deadline if transition.extends and found.deadline else situation.today
    due = workdays.last_day(begins, situation.policy.term(transition.deadline))
    return replace(due, estimated=due.estimated or bool(running_on and found.deadline_estimated))
