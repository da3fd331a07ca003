"""A served database and who logs in to it."""

from dataclasses import dataclass

import httpx

import store
from api.access import AccessPolicy
from store import accounts
from store.accounts import NewAccount
from tests.api.html import parse
from tests.store.people import MAKER

GOOD = "Weaver-77-river"
OTHER = "Miller=88=stream"
PLAIN = AccessPolicy(second_factor=False)


@dataclass
class Place:
    """A served database of its own, its address and how accounts are made in it."""

    address: str
    conn: store.Connection
    good_hash: str

    def account(
        self, login: str = "anna", role: str = "city_officer", *, temporary: bool = False
    ) -> int:
        """Make an account whose password is GOOD."""
        region = "320613" if role.startswith("county") else None
        new = NewAccount(login, f"Sample {login}", role, region)
        return accounts.make(self.conn, MAKER, new, self.good_hash, must_change=temporary)

    def client(self) -> httpx.Client:
        """Return a client of its own, which follows no redirect."""
        return httpx.Client(base_url=self.address, timeout=30)

    def log_in(self, client: httpx.Client, login: str = "anna", **more: str) -> httpx.Response:
        """Log in by the page with the password GOOD unless another is given."""
        return client.post("/login", data={"login": login, "password": GOOD} | more)


def csrf(client: httpx.Client, path: str) -> str:
    """Return the token that the form of a page carries."""
    page = parse(client.get(path).raise_for_status().text)
    fields = [one for one in page.all("input") if one.attributes.get("name") == "csrf"]
    return fields[0].attributes["value"]
