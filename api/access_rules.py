"""The rules of logging in as they hold now: the bureau's policy goes before the defaults."""

import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from api.access import AccessPolicy
from api.database import Database
from api.pool import settings, workdays
from api.pool.policy import Policy
from store.errors import StoreError

_MINUTE_S = 60
# A value that was confirmed holds for new log-ins after so long.
CACHED_S = 30.0


def under(base: AccessPolicy, policy: Policy) -> AccessPolicy:
    """Return rules with what a policy has settled; what it has not stays as it is."""
    found = base
    if policy["access.idle"].settled:
        found = replace(found, idle_s=policy.count("access.idle") * _MINUTE_S)
    if policy["access.session"].settled:
        found = replace(found, longest_s=policy.count("access.session") * _MINUTE_S)
    if policy["access.failures"].settled:
        found = replace(found, most_failures=policy.count("access.failures"))
    if policy["access.lock"].settled:
        found = replace(found, lock_s=policy.count("access.lock") * _MINUTE_S)
    return found


class AccessRules:
    """The rules in force, read again after half a minute; every log-in asks for them."""

    def __init__(self, base: AccessPolicy, cached_s: float = CACHED_S) -> None:
        self._base = base
        self._cached_s = cached_s
        self._lock = threading.Lock()
        self._found = base
        self._until_s = 0.0

    def current(self, database: Database) -> AccessPolicy:
        """Return the rules; while no database answers, those that were read last."""
        with self._lock:
            if time.monotonic() < self._until_s:
                return self._found
            self._until_s = time.monotonic() + self._cached_s
        with suppress(StoreError), database.connection() as conn:
            policy = settings.current(conn, workdays.today(datetime.now(UTC)))
            self._found = under(self._base, policy)
        return self._found
