"""Answers that were given under an idempotency key."""

from dataclasses import asdict, dataclass
from typing import Any

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to a request, so that its repetition gets the same."""

    fingerprint: str
    status: int
    etag: str | None
    body: Any
    location: str | None = None


def lock(conn: Connection, account_id: int, key: str) -> None:
    """Let no other request under this key in until the caller's transaction ends."""
    conn.execute(query("lock_answer"), {"account_id": account_id, "key": key})


def given(conn: Connection, account_id: int, key: str) -> Answer | None:
    """Return what was answered to an account under a key."""
    with transaction(conn):
        values = {"account_id": account_id, "key": key}
        row = conn.execute(query("answer_given"), values).fetchone()
    return None if row is None else Answer(*row)


def keep(conn: Connection, account_id: int, key: str, answer: Answer) -> None:
    """Keep an answer; raises Refused where the key has one."""
    values = asdict(answer) | {"account_id": account_id, "key": key, "body": Jsonb(answer.body)}
    with transaction(conn):
        conn.execute(query("keep_answer"), values)


def forget(conn: Connection, after_s: float) -> None:
    """Forget answers older than that, whose keys may then be used anew; for who owns them."""
    with transaction(conn):
        conn.execute(query("forget_answers"), {"after_s": after_s})
