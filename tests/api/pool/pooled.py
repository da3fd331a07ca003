"""A factory in the pool and the people around it, each acting under a session of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import store
from api.pool import evidence, membership, settings, standing, workdays
from api.pool.membership import Moved
from api.pool.standing import Standing
from store import memberships
from store.acting import SYSTEM, Actor, acting
from store.evidence_items import File, NewItem
from store.memberships import Membership
from tests.store.people import key_of_session, person
from tests.store.samples import with_plan

ENTERED = date(2026, 1, 15)
COUNTY, OTHER_COUNTY = "320613", "320623"
CLERK = Actor(None, "示例入库员", "operator")


@dataclass
class Pooled:
    """The sample factory in the pool; `now` moves only when a test moves it."""

    conn: store.Connection
    factory_id: int
    now: datetime = datetime(2026, 3, 2, 2, tzinfo=UTC)
    factory: str = "sample"
    _people: dict[str, tuple[Actor, str]] = field(default_factory=dict)

    @classmethod
    def load(cls, conn: store.Connection) -> "Pooled":
        """Store the sample plan and let its factory enter the pool."""
        found = cls(conn, with_plan(conn))
        with store.transaction(conn):
            policy = settings.current(conn, ENTERED)
            membership.enter(
                conn, CLERK, found.factory_id, ENTERED, policy, comment="", now=found.now
            )
        return found

    @property
    def today(self) -> date:
        """The city's day, which begins eight hours before that of UTC."""
        return workdays.today(self.now)

    def later(self, **span: int) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def person(self, role: str, name: str = "") -> tuple[Actor, str]:
        """Return one person of a role, or another of that name, with the key of a session."""
        found = self._people.get(role + name)
        if found is None:
            county = COUNTY if role.startswith("county") else None
            factories = (self.factory,) if role.startswith("ent") or role == "expert" else ()
            actor = person(self.conn, role, region=county, factories=factories)
            found = self._people[role + name] = (actor, key_of_session(self.conn, actor))
        return found

    @contextmanager
    def as_(self, role: str, name: str = "") -> Iterator[Actor]:
        """Act as a person in the application's own database role, or as the system itself."""
        if role == "system":
            with store.transaction(self.conn):
                yield SYSTEM
            return
        actor, key = self.person(role, name)
        with acting(self.conn, key):
            yield actor

    def move(
        self, role: str, step: str, comment: str = "", *, version: int | None = None, name: str = ""
    ) -> Moved:
        """Take a step as a person of a role."""
        seen = self.membership().version if version is None else version
        with self.as_(role, name) as actor:
            return membership.move(
                self.conn, actor, self.factory_id, step,
                version=seen, comment=comment, now=self.now,
            )  # fmt: skip

    def decide(self, role: str, confirmed: bool, comment: str = "") -> Moved:
        """Confirm or decline what was asked for as a person of a role."""
        seen = self.membership().version
        with self.as_(role) as actor:
            return membership.decide(
                self.conn, actor, self.factory_id,
                version=seen, confirmed=confirmed, comment=comment, now=self.now,
            )  # fmt: skip

    def record(
        self,
        role: str,
        kind: str,
        *,
        people: tuple[str, ...] = (),
        file: File | None = None,
        name: str = "",
        on: date | None = None,
        **data: Any,
    ) -> int:
        """Record evidence as a person of a role."""
        item = NewItem(kind, on or self.today, data, people=people)
        with self.as_(role, name) as actor:
            return evidence.record(self.conn, actor, self.factory_id, item, now=self.now, file=file)

    def standing(self, role: str) -> Standing:
        """Return what a person of a role sees."""
        with self.as_(role) as actor:
            return standing.of(self.conn, actor, self.factory_id, now=self.now)

    def membership(self) -> Membership:
        """Return the membership as it is."""
        found = memberships.newest(self.conn, self.factory_id)
        assert found is not None
        return found

    def warn(self, rule: str = "completeness") -> None:
        """Let a rule fire and the machine warn."""
        with store.transaction(self.conn):
            settings.kept(self.conn, settings.current(self.conn, self.today))
            self.conn.execute(
                "INSERT INTO pool.warning (factory_id, rule, since, numbers, policy_id, fired_at)"
                " SELECT %s, %s, %s, '{\"share\": 0.71}', policy_id, %s FROM pool.policy_version"
                " LIMIT 1",
                (self.factory_id, rule, self.today, self.now),
            )
        if self.membership().state == "cultivating":
            self.move("system", "warn", "数据完整率 71 %")

    def end_warnings(self) -> None:
        """Let the causes of all warnings go."""
        self.conn.execute(
            "UPDATE pool.warning SET cleared_at = %s, cleared_by = '{}' WHERE cleared_at IS NULL",
            (self.now,),
        )

    def count(self, table: str) -> int:
        """Count the rows of a table of the pool or the audit."""
        row = self.conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert row is not None
        return int(row[0])
