"""Deciding on what was proposed: a value of the policy or the text of a letter."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import Response
from pydantic import BaseModel

from api.idempotency import Made, Once
from api.identity import Caller
from api.pool import proposing
from api.pool.proposing import Ledger, Outcome
from api.routes.pool_models import Decision, TakenBack
from store import Connection
from store.proposals import Proposal


def decided(
    once: Once,
    caller: Caller,
    ledger: Ledger,
    number: int,
    given: Decision | TakenBack,
    shown: Callable[[Proposal], BaseModel],
) -> Response:
    """Confirm, decline or take back, as what was sent says, and answer with what became of it."""
    outcome: Outcome = "withdrawn"
    if isinstance(given, Decision):
        outcome = "confirmed" if given.confirmed else "declined"

    def make(conn: Connection) -> Made:
        found = proposing.decide(
            conn, caller.actor, ledger, number, outcome,
            answer=given.comment, now=datetime.now(UTC),
        )  # fmt: skip
        return Made(shown(found))

    return once(caller, given, make)
