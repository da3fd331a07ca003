"""A factory's state in the pool in few words: its name, and how much of its term is left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from api.messages import Texts
from api.pages.templates import Word
from api.pool import workdays
from api.pool.lifecycle import Lifecycle
from api.verdicts import Tone
from store.memberships import Membership

SOON_DAYS = 5

_TONES: Mapping[str, Tone] = {
    "green": "good", "teal": "good", "yellow": "warn", "orange": "warn", "red": "bad",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stay:
    """The state, and the days left of a term that runs."""

    state: Word
    left: Word | None
    deadline: str


def stay(t: Texts, machine: Lifecycle, found: Membership, today: date) -> Stay:
    """Return where a factory stands in the pool; a state of an older lifecycle goes by its code."""
    known = machine.states.get(found.state)
    if known is None:
        return Stay(Word(found.state, "plain"), None, "")
    due = None if known.final else found.deadline
    return Stay(
        Word(t.pick(known.name.zh, known.name.en), tone(known.colour)),
        None if due is None else left(t, due, today),
        "" if due is None else due.isoformat(),
    )


def tone(colour: str) -> Tone:
    """Return the tone of a state's colour."""
    return _TONES.get(colour, "plain")


def left(t: Texts, due: date, today: date) -> Word:
    """Return how many working days are left until a day, or how long it has passed."""
    if due < today:
        days = workdays.workdays_between(due, today).days
        return Word(t("membership.days_over", days=days), "bad")
    if due == today:
        return Word(t("membership.last_day"), "warn")
    days = workdays.workdays_between(today, due).days
    return Word(t("membership.days_left", days=days), "warn" if days <= SOON_DAYS else "plain")
