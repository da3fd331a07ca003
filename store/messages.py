"""Messages to persons: in the application, and on their way by e-mail and SMS."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.queries import query
from store.todos import Names

Channel = Literal["email", "sms"]
State = Literal["queued", "sent", "failed"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message to the caller; `elsewhere` says by channel what became of it there."""

    message_id: int
    factory: str
    name_zh: str
    name_en: str
    todo_id: int | None
    template: str
    names: dict[str, dict[str, str]]
    sent_at: datetime
    read_at: datetime | None
    elsewhere: dict[str, str]


@dataclass(frozen=True, slots=True)
class Contact:
    """How a person wants to be told beside the messages here."""

    phone: str | None = None
    wants_email: bool = True
    wants_sms: bool = False
    wants_digest: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to be sent now; attempts count this one.

    digest_of is the account whose messages go together in one letter.
    """

    delivery_id: int
    attempts: int
    email: str | None
    phone: str | None
    factory: str
    name_zh: str
    name_en: str
    template: str
    names: dict[str, dict[str, str]]
    sent_at: datetime
    is_disabled: bool
    digest_of: int | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A delivery that waits or failed; the address is masked."""

    delivery_id: int
    channel: str
    state: str
    attempts: int
    next_try_at: datetime
    error: str | None
    ended_at: datetime | None
    login: str
    address: str | None
    template: str


def tell(
    conn: Connection,
    factory_id: int,
    roles: Collection[str],
    template: str,
    names: Names,
    at: datetime,
    *,
    todo_id: int | None = None,
) -> list[int]:
    """Send a message to everybody of these roles who has the factory in scope."""
    values = {
        "factory_id": factory_id,
        "todo_id": todo_id,
        "template": template,
        "names": Jsonb({language: dict(each) for language, each in names.items()}),
        "at": at,
        "roles": sorted(roles),
    }
    with transaction(conn):
        return [int(row[0]) for row in conn.execute(query("insert_messages"), values)]


def deliver(
    conn: Connection,
    messages: Sequence[int],
    channels: Collection[str],
    at: datetime,
    *,
    most_queued: int,
    morning: datetime | None = None,
) -> None:
    """Queue messages for other channels, for those who have an address and want it.

    Who wants one letter a day gets it at `morning`, where there is one.
    """
    values = {
        "messages": list(messages),
        "channels": sorted(channels),
        "at": at,
        "morning": morning or at,
        "most_queued": most_queued,
    }
    with transaction(conn):
        conn.execute(query("insert_deliveries"), values)


def listed(
    conn: Connection, account_id: int, *, before: int | None = None, most: int = 50
) -> list[Message]:
    """Return a person's messages, newest first, before the number of the last one shown."""
    values = {"account_id": account_id, "before": before, "most": most}
    with transaction(conn):
        return [Message(*row) for row in conn.execute(query("list_messages"), values)]


def unread(conn: Connection, account_id: int) -> int:
    """Return how many messages a person has not read."""
    with transaction(conn):
        row = conn.execute(query("count_unread"), {"account_id": account_id}).fetchone()
    assert row is not None
    return int(row[0])


def read(conn: Connection, account_id: int, message_id: int, at: datetime) -> datetime | None:
    """Note that a message was read and return when first; None where it is not the person's."""
    values = {"account_id": account_id, "message_id": message_id, "at": at}
    with transaction(conn):
        row = conn.execute(query("read_message"), values).fetchone()
    return None if row is None else row[0]


def read_all(conn: Connection, account_id: int, up_to: int, at: datetime) -> None:
    """Note that a person read every message up to one."""
    values = {"account_id": account_id, "up_to": up_to, "at": at}
    with transaction(conn):
        conn.execute(query("read_all_messages"), values)


def contact(conn: Connection, account_id: int) -> Contact:
    """Return how a person wants to be told."""
    with transaction(conn):
        row = conn.execute(query("read_contact"), {"account_id": account_id}).fetchone()
    return Contact() if row is None else Contact(*row)


def save_contact(conn: Connection, account_id: int, wanted: Contact) -> None:
    """Set how a person wants to be told; raises Refused for SMS without a number."""
    values: dict[str, Any] = {
        "account_id": account_id,
        "phone": wanted.phone,
        "wants_email": wanted.wants_email,
        "wants_sms": wanted.wants_sms,
        "wants_digest": wanted.wants_digest,
    }
    with transaction(conn):
        conn.execute(query("save_contact"), values)


def claim(
    conn: Connection, channel: Channel, at: datetime, lease_until: datetime, *, most: int
) -> list[Delivery]:
    """Take what is to be sent now; it comes again after the lease if nothing is said of it."""
    values = {"channel": channel, "at": at, "lease_until": lease_until, "most": most}
    with transaction(conn):
        return [Delivery(*row) for row in conn.execute(query("claim_deliveries"), values)]


def end(
    conn: Connection,
    delivery_id: int,
    state: State,
    at: datetime,
    *,
    error: str | None = None,
    next_try_at: datetime | None = None,
) -> None:
    """Say what became of a delivery; one that stays queued is tried at `next_try_at`."""
    values = {
        "delivery_id": delivery_id,
        "state": state,
        "error": error,
        "next_try_at": next_try_at or at,
        "at": at,
    }
    with transaction(conn):
        conn.execute(query("end_delivery"), values)


def pending(
    conn: Connection, states: Collection[State] = ("queued", "failed"), *, most: int = 100
) -> list[Pending]:
    """Return deliveries in some states, newest first."""
    values = {"states": sorted(states), "most": most}
    with transaction(conn):
        return [Pending(*row) for row in conn.execute(query("list_deliveries"), values)]


def retry(conn: Connection, at: datetime) -> int:
    """Try again what failed for good, and return how many."""
    with transaction(conn):
        return conn.execute(query("retry_deliveries"), {"at": at}).rowcount
