"""Other systems that the feed is sent to: their subscriptions, turns and what was given up.

What reads or writes secrets and turns is for who owns the database; the rest acts for a caller.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A subscription as it is asked for; no kinds are all of them."""

    account_id: int
    name: str
    url: str
    kinds: Sequence[str]
    secret: str
    cursor: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription as its owner sees it."""

    webhook_id: int
    account_id: int
    name: str
    url: str
    kinds: list[str]
    made_at: datetime
    cursor: int
    attempts: int
    next_at: datetime
    delivered_at: datetime | None
    last_fault: str | None
    paused_at: datetime | None
    # When a trial was asked for that is still to come, and what came of the last one.
    trial_at: datetime | None
    tried_at: datetime | None
    trial_fault: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A part of the feed, (after, through], that did not arrive."""

    letter_id: int
    after: int
    through: int
    attempts: int
    fault: str
    died_at: datetime
    again_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A subscription whose turn it is; `through` is set where a part was begun."""

    webhook_id: int
    account_id: int
    url: str
    kinds: list[str]
    secret: str
    cursor: int
    through: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A part that was given up and is to be sent once more."""

    letter_id: int
    webhook_id: int
    account_id: int
    url: str
    kinds: list[str]
    secret: str
    after: int
    through: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A subscription that is to get a delivery with nothing in it."""

    webhook_id: int
    account_id: int
    url: str
    kinds: list[str]
    secret: str
    cursor: int
    trial_at: datetime


def subscribe(conn: Connection, new: NewWebhook) -> int:
    """Keep a subscription and return its number."""
    values = asdict(new) | {"kinds": list(new.kinds)}
    with transaction(conn):
        ((found,),) = conn.execute(query("insert_webhook"), values).fetchall()
    return int(found)


def listed(conn: Connection, webhook_id: int | None = None) -> list[Webhook]:
    """Return the caller's living subscriptions, or one of them."""
    return [Webhook(*row) for row in _run(conn, "list_webhooks", webhook_id=webhook_id)]


def end(conn: Connection, webhook_id: int) -> bool:
    """End a subscription; False where the caller has none of this number."""
    return bool(_run(conn, "end_webhook", webhook_id=webhook_id))


def pause(conn: Connection, webhook_id: int, *, paused: bool) -> bool:
    """Pause a subscription or let it go on; False where the caller has none of this number."""
    return bool(_run(conn, "pause_webhook", webhook_id=webhook_id, paused=paused))


def ask_trial(conn: Connection, webhook_id: int) -> None:
    """Have a delivery with nothing in it sent, to see whether the receiver answers."""
    _do(conn, "try_webhook", webhook_id=webhook_id)


def trials(conn: Connection, *, most: int) -> list[Trial]:
    """Return the subscriptions that are to get a trial delivery."""
    return [Trial(*row) for row in _run(conn, "webhooks_to_try", most=most)]


def tried(conn: Connection, trial: Trial, fault: str | None) -> None:
    """Note what came of a trial delivery."""
    values = {"webhook_id": trial.webhook_id, "trial_at": trial.trial_at, "fault": fault}
    _do(conn, "webhook_tried", **values)


def dead_letters(
    conn: Connection, webhook_id: int, letter_id: int | None = None, *, most: int = 100
) -> list[DeadLetter]:
    """Return what a subscription was not sent, newest first."""
    rows = _run(conn, "list_dead_letters", webhook_id=webhook_id, letter_id=letter_id, most=most)
    return [DeadLetter(*row) for row in rows]


def send_again(conn: Connection, webhook_id: int, letter_id: int) -> None:
    """Have a part that was given up sent once more."""
    _do(conn, "send_again", webhook_id=webhook_id, letter_id=letter_id)


def take_deliveries(conn: Connection) -> bool:
    """Take over the deliveries until the connection ends; False while another process has them."""
    ((found,),) = _run(conn, "try_delivery_lock")
    return bool(found)


def due(conn: Connection, *, most: int) -> list[Turn]:
    """Return the subscriptions whose turn it is, the longest waiting first."""
    return [Turn(*row) for row in _run(conn, "due_webhooks", most=most)]


def begin(conn: Connection, webhook_id: int, through: int) -> None:
    """Keep how far a part reaches, so that it is the same when it is tried again."""
    _do(conn, "begin_part", webhook_id=webhook_id, through=through)


def skip(conn: Connection, webhook_id: int, through: int) -> None:
    """Pass over what is not for a subscription."""
    _do(conn, "skip_part", webhook_id=webhook_id, through=through)


def delivered(conn: Connection, webhook_id: int) -> None:
    """Note that the part that was begun arrived."""
    _do(conn, "part_delivered", webhook_id=webhook_id)


def failed(conn: Connection, webhook_id: int, fault: str, wait_s: float) -> None:
    """Note that the part did not arrive and is tried again after a wait."""
    _do(conn, "part_failed", webhook_id=webhook_id, fault=fault, wait_s=wait_s)


def give_up(conn: Connection, webhook_id: int, fault: str) -> None:
    """Keep the part for a person and go on with the next."""
    _do(conn, "part_dead", webhook_id=webhook_id, fault=fault)


def letters(conn: Connection, *, most: int) -> list[Letter]:
    """Return the parts that a person wants to have sent once more."""
    return [Letter(*row) for row in _run(conn, "letters_to_send", most=most)]


def letter_sent(conn: Connection, letter_id: int, fault: str | None) -> None:
    """Note what came of sending a part once more."""
    _do(conn, "letter_sent", letter_id=letter_id, fault=fault)


def _run(conn: Connection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    with transaction(conn):
        return conn.execute(query(name), values).fetchall()


def _do(conn: Connection, name: str, **values: Any) -> None:
    with transaction(conn):
        conn.execute(query(name), values)
