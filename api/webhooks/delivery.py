"""Turns of delivery: each subscription gets its next part of the feed, in order, until it arrives.

A part keeps its bounds while it is tried again, so that a receiver that took it and could not say
so gets the very same once more and knows it by its cursors. When the last wait is over the part is
given up, kept for a person to see and send again, and the next one goes on.
"""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import store
import store.answers
import store.feed
from api.routes.follow_up import shown_change
from api.routes.models import FollowUp
from api.webhooks.rules import DeliveryRules
from api.webhooks.send import send
from store import Connection, webhooks
from store.errors import StoreError
from store.feed import Happened
from store.webhooks import Letter, Trial, Turn

_log = logging.getLogger(__name__)
_STOP_S = 30.0
_AFTER_FAULT_S = 30.0


@dataclass(frozen=True, slots=True)
class Part:
    """What is sent to one subscription now."""

    source: Turn | Letter | Trial
    delivery: str
    body: bytes


@contextmanager
def delivering(url: str, rules: DeliveryRules) -> Iterator[None]:
    """Deliver in a thread of its own while the block lasts."""
    stopped = threading.Event()
    thread = threading.Thread(
        target=_work, args=(url, rules, stopped), name="webhooks", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(_STOP_S)


def _work(url: str, rules: DeliveryRules, stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            with closing(store.connect(url)) as conn:
                _turns(conn, rules, stopped)
        except StoreError as error:
            _log.warning("deliveries wait for the database: %s", error)
        except Exception:
            _log.exception("a turn of deliveries failed")
        stopped.wait(_AFTER_FAULT_S)


def _turns(conn: Connection, rules: DeliveryRules, stopped: threading.Event) -> None:
    while not stopped.is_set() and not webhooks.take_deliveries(conn):
        stopped.wait(_AFTER_FAULT_S)
    while not stopped.is_set():
        store.answers.forget(conn, rules.answers_kept_s)
        if deliver(conn, rules) == 0:
            stopped.wait(rules.rest_s)


def deliver(conn: Connection, rules: DeliveryRules) -> int:
    """Give every subscription whose turn it is its next part; return how many were sent."""
    parts = [part for turn in webhooks.due(conn, most=rules.most_at_once)
             if (part := _part(conn, turn, rules)) is not None]  # fmt: skip
    letters = [_of_letter(conn, each) for each in webhooks.letters(conn, most=rules.most_at_once)]
    trials = [_of_trial(each) for each in webhooks.trials(conn, most=rules.most_at_once)]
    waiting = [*parts, *letters, *trials]
    faults = asyncio.run(_send(waiting, rules))
    for part, fault in zip(waiting, faults, strict=True):
        _note(conn, part, fault, rules)
    return len(faults)


async def _send(parts: list[Part], rules: DeliveryRules) -> list[str | None]:
    return await asyncio.gather(
        *(
            send(each.source.url, each.source.secret, each.delivery, each.body, rules)
            for each in parts
        )
    )


def _part(conn: Connection, turn: Turn, rules: DeliveryRules) -> Part | None:
    """Return what a subscription gets now; None where nothing up to the end is for it."""
    end = store.feed.end(conn) if turn.through is None else turn.through
    found = store.feed.for_officer(
        conn, turn.account_id, turn.cursor,
        through=end, kinds=turn.kinds, most=rules.most_entries,
    )  # fmt: skip
    if not found:
        webhooks.skip(conn, turn.webhook_id, end)
        return None
    if turn.through is None:
        webhooks.begin(conn, turn.webhook_id, found[-1].cursor)
    return _made(turn, turn.cursor, found)


def _of_letter(conn: Connection, letter: Letter) -> Part:
    found = store.feed.for_officer(
        conn, letter.account_id, letter.after, through=letter.through, kinds=letter.kinds
    )
    return _made(letter, letter.after, found)


def _of_trial(trial: Trial) -> Part:
    """Return a part with nothing in it, which tells a receiver apart from one that is away."""
    body = FollowUp(items=[], next_cursor=trial.cursor, more=False).model_dump_json()
    delivery = f"{trial.webhook_id}-trial-{trial.trial_at:%Y%m%d%H%M%S}"
    return Part(trial, delivery, body.encode())


def _made(source: Turn | Letter, after: int, found: list[Happened]) -> Part:
    through = found[-1].cursor if found else after
    body = FollowUp(
        items=[shown_change(each) for each in found], next_cursor=through, more=False
    ).model_dump_json()
    return Part(source, f"{source.webhook_id}-{after}-{through}", body.encode())


def _note(conn: Connection, part: Part, fault: str | None, rules: DeliveryRules) -> None:
    source = part.source
    if isinstance(source, Trial):
        webhooks.tried(conn, source, fault)
    elif isinstance(source, Letter):
        webhooks.letter_sent(conn, source.letter_id, fault)
    elif fault is None:
        webhooks.delivered(conn, source.webhook_id)
    elif source.attempts < len(rules.waits_s):
        webhooks.failed(conn, source.webhook_id, fault, rules.waits_s[source.attempts])
    else:
        webhooks.give_up(conn, source.webhook_id, fault)
