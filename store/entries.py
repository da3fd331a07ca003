"""What an entry list of the pool is compared with, and what is stored of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from store.db import Connection, transaction
from store.plan_changes import mark_changes, plan_state
from store.queries import query


@dataclass(frozen=True, slots=True)
class EntryPromise:
    """What was promised for one KPI, in the figure's unit."""

    kpi: str
    before: float | None
    basis: str
    expected: float


@dataclass(frozen=True, slots=True)
class EntryFactory:
    """A factory as an entry list describes it; the baseline is half-open."""

    code: str
    name_zh: str
    name_en: str
    kind: str
    region: str
    baseline_from: date
    baseline_to: date
    renovated_on: date
    enterprise_zh: str
    enterprise_en: str
    credit_code: str | None


@dataclass(frozen=True, slots=True)
class KnownFactory:
    """A factory that is stored, its newest stay in the pool and its promises by KPI.

    has_plan tells that a monitoring plan was loaded, which says the factory's fields since then.
    """

    factory_id: int
    enterprise_id: int
    given: EntryFactory
    has_plan: bool
    membership_id: int | None
    entered_on: date | None
    left_on: date | None
    promises: Mapping[str, EntryPromise]


@dataclass(frozen=True, slots=True)
class KnownEnterprise:
    """An enterprise that is stored."""

    enterprise_id: int
    name_zh: str
    name_en: str
    credit_code: str | None


@dataclass(frozen=True, slots=True)
class EndedStay:
    """A stay in the pool that ended in a final state."""

    enterprise_id: int
    factory: str
    state: str
    left_on: date


def lock(conn: Connection) -> None:
    """Let no other list in until the caller's transaction ends."""
    conn.execute(query("lock_entry_lists"))


def factories(conn: Connection) -> list[KnownFactory]:
    """Return every factory, by code."""
    with transaction(conn):
        rows = conn.execute(query("entry_factories")).fetchall()
    found = []
    for row in rows:
        (factory_id, code, zh, en, kind, region, start, end, renovated, enterprise_id,
         enterprise_zh, enterprise_en, credit_code, has_plan, membership_id, entered, left,
         *lists) = row  # fmt: skip
        given = EntryFactory(
            code, zh, en, kind, region, start, end, renovated, enterprise_zh, enterprise_en,
            credit_code,
        )  # fmt: skip
        promises = {
            kpi: EntryPromise(kpi, before, basis, expected)
            for kpi, before, basis, expected in zip(*lists, strict=True)
        }
        found.append(
            KnownFactory(
                factory_id, enterprise_id, given, has_plan, membership_id, entered, left, promises
            )
        )
    return found


def enterprises(conn: Connection) -> list[KnownEnterprise]:
    """Return every enterprise."""
    with transaction(conn):
        return [KnownEnterprise(*row) for row in conn.execute(query("entry_enterprises"))]


def ended(conn: Connection) -> list[EndedStay]:
    """Return every stay in the pool that ended, newest first."""
    with transaction(conn):
        return [EndedStay(*row) for row in conn.execute(query("ended_stays"))]


def save(
    conn: Connection, given: EntryFactory, promises: Sequence[EntryPromise], *, has_plan: bool
) -> int:
    """Store a factory of a list with its promises and return its number.

    What a monitoring plan says of a factory stays as it is. What changes is marked for the jobs.
    """
    with transaction(conn):
        before = plan_state(conn, given.code)
        if has_plan:
            assert before is not None
            factory_id = before.plan.factory.factory_id
        else:
            factory_id = _save_factory(conn, given)
        rows = [asdict(each) | {"factory_id": factory_id} for each in promises]
        if rows:
            conn.cursor().executemany(query("upsert_entry_promise"), rows)
        mark_changes(conn, before, plan_state(conn, given.code) if before else None)
    return factory_id


def _save_factory(conn: Connection, given: EntryFactory) -> int:
    enterprise = {
        "name_zh": given.enterprise_zh,
        "name_en": given.enterprise_en,
        "credit_code": given.credit_code,
    }
    row = conn.execute(query("upsert_enterprise"), enterprise).fetchone()
    assert row is not None
    values = asdict(given) | {"enterprise_id": row[0], "timezone": "Asia/Shanghai"}
    row = conn.execute(query("upsert_factory"), values).fetchone()
    assert row is not None
    return int(row[0])
