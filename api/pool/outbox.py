"""Messages on their way: what is due is tried, failures wait longer each time, and then end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from api.pool import todo_texts
from api.pool.errors import PoolError
from store import Connection, messages
from store.messages import Channel, Delivery

# Waits after each failure; after the last one it has failed for good.
WAITS = tuple(timedelta(minutes=each) for each in (1, 5, 30, 120, 480, 1440))

_AT_ONCE = 50
_LEASE = timedelta(minutes=15)
_LONGEST_ERROR = 300
_LONGEST_SUBJECT = 60


class TryLater(PoolError):
    """It did not go through now; the message says why."""


class RefusedForGood(PoolError):
    """It will never go through as it is, such as to an address that there is not."""


class Unreachable(TryLater):
    """Nothing goes through at all now; what else waits is not tried."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent to one person."""

    number: int
    to: str
    subject: str
    text: str


class Sender(Protocol):
    """A way to people beside the application."""

    @property
    def channel(self) -> Channel:
        """What it is called."""

    def send(self, letters: Sequence[Letter]) -> list[PoolError | None]:
        """Send each within a time limit; return for each None, TryLater or RefusedForGood."""


@dataclass
class Sent:
    """What became of what was tried."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0


def send(conn: Connection, senders: Sequence[Sender], *, now: datetime) -> Sent:
    """Try what is due by every sender, a bounded number of messages at once.

    Where the machine stops before it noted that something was sent, it is sent again: a message
    comes twice rather than never.
    """
    found = Sent()
    for sender in senders:
        taken = messages.claim(conn, sender.channel, now, now + _LEASE, most=_AT_ONCE)
        together: dict[tuple[int | None, int], list[Delivery]] = {}
        for each in taken:
            if _address(sender.channel, each) is None:
                _end(conn, each, RefusedForGood("no address, or the account is shut"), found, now)
            else:
                alone = each.delivery_id if each.digest_of is None else 0
                together.setdefault((each.digest_of, alone), []).append(each)
        ready = list(together.values())
        outcomes = sender.send([_letter(sender.channel, each) for each in ready]) if ready else []
        for group, outcome in zip(ready, outcomes, strict=True):
            for each in group:
                _end(conn, each, outcome, found, now)
    return found


def _address(channel: Channel, each: Delivery) -> str | None:
    if each.is_disabled:
        return None
    return each.email if channel == "email" else each.phone


def _letter(channel: Channel, group: Sequence[Delivery]) -> Letter:
    """Return one message as a letter, or those of a day together."""
    first = group[0]
    to = _address(channel, first)
    assert to is not None
    zh = [todo_texts.message(each.template, "zh", each.name_zh, each.names) for each in group]
    en = [todo_texts.message(each.template, "en", each.name_en, each.names) for each in group]
    subject = zh[0]
    if len(group) > 1:
        subject = todo_texts.digest("zh", len(group))
        zh = [subject, *(f"{number}. {text}" for number, text in enumerate(zh, 1))]
        en = [todo_texts.digest("en", len(en)), *(f"{n}. {text}" for n, text in enumerate(en, 1))]
    text = "\n".join(zh) + "\n\n" + "\n".join(en) + "\n"
    return Letter(first.delivery_id, to, subject[:_LONGEST_SUBJECT], text)


def _end(
    conn: Connection, each: Delivery, outcome: PoolError | None, found: Sent, now: datetime
) -> None:
    if outcome is None:
        found.sent += 1
        messages.end(conn, each.delivery_id, "sent", now)
        return
    error = str(outcome)[:_LONGEST_ERROR]
    if isinstance(outcome, RefusedForGood) or each.attempts > len(WAITS):
        found.failed += 1
        messages.end(conn, each.delivery_id, "failed", now, error=error)
        return
    found.waiting += 1
    wait = WAITS[each.attempts - 1]
    messages.end(conn, each.delivery_id, "queued", now, error=error, next_try_at=now + wait)
