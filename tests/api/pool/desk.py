"""People in front of pages: each role with a session of its own."""

from typing import Any

import httpx

import store
from api.identity import csrf_of
from store.acting import Actor
from tests.api.html import Element, parse
from tests.api.people import client_of, session_of
from tests.store.people import person


class Desk:
    """A running server, and whoever opens its pages."""

    def __init__(self, conn: store.Connection, address: str) -> None:
        self.conn = conn
        self.address = address
        self.actors: dict[str, Actor] = {}
        self._clients: dict[str, tuple[httpx.Client, str]] = {}

    def as_(self, role: str, **scope: Any) -> tuple[httpx.Client, str]:
        """Return the client of a person of a role, and what its forms carry."""
        if role not in self._clients:
            self.actors[role] = person(self.conn, role, **scope)
            secret = session_of(self.conn, self.actors[role])
            self._clients[role] = client_of(self.address, secret), csrf_of(secret)
        return self._clients[role]

    def page(self, role: str, path: str, status: int = 200) -> Element:
        """Return a page as a person sees it."""
        answer = self.as_(role)[0].get(path)
        assert answer.status_code == status, answer.text
        return parse(answer.text)

    def send(self, role: str, path: str, files: Any = None, **form: Any) -> httpx.Response:
        """Send a form of a page."""
        client, csrf = self.as_(role)
        return client.post(path, data={"csrf": csrf} | form, files=files)

    def close(self) -> None:
        """Close every client."""
        for client, _ in self._clients.values():
            client.close()
