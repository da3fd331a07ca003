"""A factory in the pool, an officer with a subscription, and a receiver of deliveries."""

import ipaddress
import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pytest

import store
import store.feed
from api.webhooks.delivery import deliver
from api.webhooks.rules import DeliveryRules
from store import webhooks
from store.acting import acting
from store.webhooks import DeadLetter, NewWebhook, Webhook
from tests.api.pool.pooled import COUNTY, Pooled
from tests.api.webhooks.receiver import Receiver, receiving
from tests.store.people import key_of_session, person

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@dataclass
class Post:
    """Subscriptions of officers, and turns of delivery without waits in between."""

    conn: store.Connection
    pooled: Pooled
    rules: DeliveryRules = field(
        default_factory=lambda: DeliveryRules(
            networks=LOOPBACK, waits_s=(0.0, 0.0), within_s=20.0, rest_s=0.02
        )
    )
    keys: dict[int, str] = field(default_factory=dict)

    def subscribe(
        self,
        url: str,
        *,
        role: str = "city_officer",
        region: str = COUNTY,
        kinds: Sequence[str] = (),
    ) -> tuple[int, str]:
        """Return the number and the secret of a new subscription from now on."""
        county = region if role.startswith("county") else None
        actor = person(self.conn, role, region=county)
        assert actor.account_id is not None
        key, secret = key_of_session(self.conn, actor), secrets.token_urlsafe(32)
        cursor = store.feed.end(self.conn)
        with acting(self.conn, key):
            number = webhooks.subscribe(
                self.conn, NewWebhook(actor.account_id, "示例平台", url, kinds, secret, cursor)
            )
        self.keys[number] = key
        return number, secret

    def happen(self, times: int = 1) -> list[int]:
        """Let the membership move and return the cursors of it."""
        before = store.feed.end(self.conn)
        for _ in range(times):
            if self.pooled.membership().state == "cultivating":
                self.pooled.warn()
            else:
                self.pooled.end_warnings()
                self.pooled.move("system", "clear_warning", "原因消除")
        return [each.cursor for each in store.feed.since(self.conn, before)]

    def turn(self) -> int:
        """Give every subscription whose turn it is its next part."""
        return deliver(self.conn, self.rules)

    def state(self, number: int) -> Webhook:
        """Return a subscription as its owner sees it."""
        with acting(self.conn, self.keys[number]):
            (found,) = webhooks.listed(self.conn, number)
        return found

    def dead(self, number: int) -> list[DeadLetter]:
        """Return what a subscription was not sent, as its owner sees it."""
        with acting(self.conn, self.keys[number]):
            return webhooks.dead_letters(self.conn, number)


@pytest.fixture
def post(db: store.Connection, database_url: str) -> Iterator[Post]:
    """The sample factory in the pool, and nobody who subscribed yet."""
    with closing(store.connect(database_url)) as conn:
        yield Post(conn, Pooled.load(db))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Another system, by plain http on this machine."""
    with receiving() as found:
        yield found
