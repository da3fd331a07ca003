"""People who ask the interface of a running server, for tests of its routes."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from api.identity import CSRF_HEADER, csrf_of
from tests.api.conftest import served
from tests.api.people import client_of, session_of
from tests.api.pool.pooled import Pooled
from tests.store.people import person

STEPS = "/api/v1/factories/sample/membership/steps"
REQUEST = "/api/v1/factories/sample/membership/request"
EVIDENCE = "/api/v1/factories/sample/membership/evidence"
MEMBERSHIP = "/api/v1/factories/sample/membership"
PROPOSALS = "/api/v1/policy/proposals"


class Asking:
    """People who ask a running server, each with a session of their own."""

    def __init__(self, pooled: Pooled, address: str) -> None:
        self.pooled = pooled
        self.address = address
        self._clients: dict[str, httpx.Client] = {}

    def as_(self, role: str, name: str = "", *, region: str | None = None) -> httpx.Client:
        """Return the client of one person of a role, or of another of that name."""
        key = f"{role} {name} {region}"
        if key not in self._clients:
            conn = self.pooled.conn
            if region is None:
                actor, _ = self.pooled.person(role, name)
            else:
                actor = person(conn, role, region=region)
            secret = session_of(conn, actor)
            found = client_of(self.address, secret)
            found.headers[CSRF_HEADER] = csrf_of(secret)
            self._clients[key] = found
        return self._clients[key]

    def post(
        self, client: httpx.Client, path: str, body: Any, *, key: str | None = None, etag: str = ""
    ) -> httpx.Response:
        """Send a request under a new key, or the one given."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        if etag:
            headers["If-Match"] = etag
        return client.post(path, json=body, headers=headers)

    def etag(self) -> str:
        """Return the ETag of the membership."""
        found = self.pooled.membership()
        return f'"membership-{found.membership_id}-{found.version}"'

    def close(self) -> None:
        """Close every client."""
        for each in self._clients.values():
            each.close()


@contextmanager
def asked(pooled: Pooled, database_url: str) -> Iterator[Asking]:
    """Serve the sample factory's database on the day that it is."""
    pooled.now = datetime.now(UTC)
    with served(database_url) as address:
        found = Asking(pooled, address)
        yield found
        found.close()
