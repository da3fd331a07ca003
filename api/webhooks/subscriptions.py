"""Subscriptions of the bureau's other systems: each its owner's own, each change in the audit."""

import secrets
from collections.abc import Sequence

import store.feed
from api.errors import NotFound
from api.pool.errors import Declined
from api.pool.refused import refused
from api.webhooks import address
from store import Connection, audit, webhooks
from store.acting import Actor
from store.webhooks import DeadLetter, NewWebhook, Webhook

MOST_EACH = 20


def make(
    conn: Connection,
    actor: Actor,
    name: str,
    url: str,
    kinds: Sequence[str],
    *,
    cursor: int | None = None,
) -> tuple[int, str]:
    """Subscribe a system, from now on where no cursor is given; return its number and secret.

    Raises AddressRefused for what is no address, Declined where the account has enough of them.
    """
    assert actor.account_id is not None
    address.check(url)
    if len(webhooks.listed(conn)) >= MOST_EACH:
        raise refused("many_webhooks", Declined, most=MOST_EACH)
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    begin = store.feed.end(conn) if cursor is None else cursor
    new = NewWebhook(actor.account_id, name, url, kinds, secret, begin)
    number = webhooks.subscribe(conn, new)
    _note(conn, actor, "webhook_made", number, {"name": name, "url": url})
    return number, secret


def of(conn: Connection, webhook_id: int) -> Webhook:
    """Return a subscription of the caller; raises NotFound."""
    found = webhooks.listed(conn, webhook_id)
    if not found:
        raise NotFound(f"you have no subscription {webhook_id}")
    return found[0]


def pause(conn: Connection, actor: Actor, webhook_id: int, *, paused: bool) -> None:
    """Send nothing, or go on from where it was; raises NotFound."""
    of(conn, webhook_id)
    webhooks.pause(conn, webhook_id, paused=paused)
    _note(conn, actor, "webhook_paused" if paused else "webhook_resumed", webhook_id, {})


def ask_trial(conn: Connection, actor: Actor, webhook_id: int) -> None:
    """Have a delivery with nothing in it sent at the next turn; raises NotFound."""
    of(conn, webhook_id)
    webhooks.ask_trial(conn, webhook_id)
    _note(conn, actor, "webhook_tried", webhook_id, {})


def end(conn: Connection, actor: Actor, webhook_id: int) -> None:
    """Send nothing more; raises NotFound."""
    of(conn, webhook_id)
    webhooks.end(conn, webhook_id)
    _note(conn, actor, "webhook_ended", webhook_id, {})


def send_again(conn: Connection, actor: Actor, webhook_id: int, letter_id: int) -> DeadLetter:
    """Have a part that was given up sent once more; raises NotFound."""
    of(conn, webhook_id)
    webhooks.send_again(conn, webhook_id, letter_id)
    found = webhooks.dead_letters(conn, webhook_id, letter_id)
    if not found:
        raise NotFound(f"the subscription has no dead letter {letter_id}")
    _note(conn, actor, "webhook_again", webhook_id, {"letter_id": letter_id})
    return found[0]


def _note(
    conn: Connection, actor: Actor, action: str, webhook_id: int, after: dict[str, object]
) -> None:
    audit.note(conn, actor, action, kind="webhook", key=str(webhook_id), after=after)
