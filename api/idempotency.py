"""A request that is repeated under its Idempotency-Key gets the answer of the first.

Only what was done is kept: a refusal changed nothing and may be tried again. The answer is kept in
the transaction of what was done, so that one is never there without the other.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from api.database import TheDatabase
from api.identity import Caller
from api.pool.errors import Declined
from store import Connection, answers
from store.answers import Answer

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="Chosen by the client, new for every new request and the same for a repetition",
        examples=["2f1c9a9e-6b0e-4c58-9a55-0a4f6f0f1c77"],
    ),
]


@dataclass(frozen=True, slots=True)
class Made:
    """What is answered to something that was done."""

    body: BaseModel
    etag: str | None = None
    status: int = 200
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Once:
    """The request at hand under its Idempotency-Key: done once, answered alike each time."""

    request: Request
    database: TheDatabase
    key: IdempotencyKey

    def __call__(
        self, caller: Caller, given: BaseModel, make: Callable[[Connection], Made]
    ) -> Response:
        """Do what is asked and keep the answer, or give the one that was kept.

        The connection that make gets acts for the caller. Raises Declined where the key was used
        for another request.
        """
        with self.database.acting(caller) as conn:
            kept = self._kept(conn, caller, given, make)
        named = {"ETag": kept.etag, "Location": kept.location}
        headers = {name: value for name, value in named.items() if value}
        headers["Cache-Control"] = "no-store"
        # Sorted, since the database keeps no order: the repetition is the same to the byte.
        text = json.dumps(kept.body, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return Response(text, kept.status, headers=headers, media_type="application/json")

    def _kept(
        self,
        conn: Connection,
        caller: Caller,
        given: BaseModel,
        make: Callable[[Connection], Made],
    ) -> Answer:
        account_id = caller.actor.account_id
        assert account_id is not None
        fingerprint = _fingerprint(self.request, given)
        answers.lock(conn, account_id, self.key)
        kept = answers.given(conn, account_id, self.key)
        if kept is None:
            made = make(conn)
            body = made.body.model_dump(mode="json")
            kept = Answer(fingerprint, made.status, made.etag, body, made.location)
            answers.keep(conn, account_id, self.key, kept)
        elif kept.fingerprint != fingerprint:
            raise Declined("this Idempotency-Key was used for another request; choose a new one")
        return kept


TheOnce = Annotated[Once, Depends()]


def _fingerprint(request: Request, given: BaseModel) -> str:
    parts = (
        request.method,
        request.url.path,
        request.headers.get("if-match", ""),
        given.model_dump_json(),
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
