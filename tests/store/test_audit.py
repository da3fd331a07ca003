"""The record of what was done: chained, never changed, noted in the name of who did it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

import store
from store import audit
from store.acting import SYSTEM, acting
from store.errors import NotPermitted, Refused
from tests.store.people import key_for, key_of_session, person
from tests.store.samples import with_plan


def _note(conn: store.Connection, key: object = 1, **more: str) -> None:
    audit.note(conn, SYSTEM, "tried", kind="sample", key=key, after={"值": 1.5, **more})


def test_what_was_noted_is_read_newest_first(db: store.Connection, factory_id: int) -> None:
    audit.note(
        db, SYSTEM, "changed", kind="sample", key="a", factory_id=factory_id,
        before={"x": 1}, after={"x": 2}, reason="测试",
    )  # fmt: skip
    _note(db, "b")
    second, first = audit.entries(db, kind="sample")
    assert (second.key, first.key) == ("b", "a")
    assert (first.factory, first.before, first.after) == ("sample", {"x": 1}, {"x": 2})
    assert (first.actor, first.role, first.reason) == ("system", "system", "测试")
    assert [each.key for each in audit.entries(db, before=second.entry_id)] == ["a"]
    assert audit.entries(db, key="none") == []


def test_the_chain_of_what_was_noted_holds(db: store.Connection) -> None:
    for number in range(3):
        _note(db, number)
    found = audit.verify(db)
    assert (found.entries, found.last_id, found.broken_id) == (3, 3, None)
    assert found.last_sha256 == audit.entries(db)[0].sha256


def test_an_empty_chain_holds(db: store.Connection) -> None:
    assert audit.verify(db) == audit.Chain(0, 0, "00" * 32, None, None)


def test_what_is_rolled_back_was_not_done(db: store.Connection) -> None:
    def half() -> None:
        with store.transaction(db):
            _note(db, "given up")
            audit.note(db, SYSTEM, "", kind="sample", key="an action without a name")

    with pytest.raises(Refused):
        half()
    _note(db, "kept")
    assert [each.key for each in audit.entries(db)] == ["kept"]
    assert audit.verify(db).broken_id is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE audit.entry SET reason = 'else' WHERE entry_id = 2", "does not follow from what"),
        ("UPDATE audit.entry SET at = at + INTERVAL '1 us' WHERE entry_id = 2", "does not follow"),
        ("UPDATE audit.entry SET after = NULL WHERE entry_id = 2", "does not follow from what"),
        ("DELETE FROM audit.entry WHERE entry_id = 2", "entry 2 is missing"),
        (
            "UPDATE audit.entry SET sha256 = sha256('x') WHERE entry_id = 1",
            "does not follow from what",
        ),
        (
            "UPDATE audit.entry SET previous_sha256 = sha256('x') WHERE entry_id = 2",
            "does not name the hash",
        ),
    ],
)
def test_the_first_broken_link_is_named(db: store.Connection, change: str, why: str) -> None:
    for number in range(4):
        _note(db, number)
    db.execute("ALTER TABLE audit.entry DISABLE TRIGGER keep")
    db.execute(change.encode())
    found = audit.verify(db)
    assert found.broken_id == {"DELETE": 3}.get(change[:6], 1 if "= 1" in change[-4:] else 2)
    assert why in str(found.why)


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit.entry SET reason = 'x'", "DELETE FROM audit.entry", "TRUNCATE audit.entry"],
)
def test_even_the_owner_is_refused_a_change(db: store.Connection, change: str) -> None:
    _note(db)
    with pytest.raises(Refused, match="never changed"), store.transaction(db):
        db.execute(change.encode())


def test_entries_noted_at_once_stand_in_one_chain(db: store.Connection, database_url: str) -> None:
    def many(who: int) -> None:
        with closing(store.connect(database_url)) as conn:
            for number in range(10):
                with store.transaction(conn):
                    _note(conn, f"{who}-{number}")
                    _note(conn, f"{who}-{number}-again")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(many, range(4)))
    found = audit.verify(db)
    assert (found.entries, found.broken_id) == (80, None)


def test_a_note_does_not_hold_others_up_before_the_commit(
    db: store.Connection, database_url: str
) -> None:
    with closing(store.connect(database_url)) as other, store.transaction(db):
        _note(db, "first begun")
        other.execute("SET lock_timeout = '5s'")
        _note(other, "second begun")
    assert [each.key for each in audit.entries(db)] == ["first begun", "second begun"]


def test_a_caller_notes_in_its_own_name_alone(db: store.Connection, factory_id: int) -> None:
    officer = person(db, "city_officer")
    with acting(db, key_of_session(db, officer)):
        audit.note(db, SYSTEM, "tried", kind="sample", key=1, factory_id=factory_id)
    (entry,) = audit.entries(db, action="tried")
    assert (entry.account_id, entry.actor, entry.role) == (
        officer.account_id, officer.name, "city_officer",
    )  # fmt: skip


def test_a_caller_notes_nothing_about_a_factory_out_of_scope(
    db: store.Connection, factory_id: int
) -> None:
    county = key_for(db, "county_officer", region="320623")
    with pytest.raises(NotPermitted, match="out of scope"), acting(db, county):
        audit.note(db, SYSTEM, "tried", kind="sample", key=1, factory_id=factory_id)
    with pytest.raises(NotPermitted, match="nobody is logged in"), acting(db, "0" * 64):
        audit.note(db, SYSTEM, "tried", kind="sample", key=1)
    assert audit.entries(db, action="tried") == []


def test_who_reads_which_entries(db: store.Connection) -> None:
    one, two = with_plan(db, "one"), with_plan(db, "two")
    for number in (one, two):
        audit.note(db, SYSTEM, "tried", kind="sample", key=number, factory_id=number)
    _note(db, "about no factory")
    keys = {
        "auditor": key_for(db, "auditor"),
        "city": key_for(db, "city_officer"),
        "owner of one": key_for(db, "ent_approver", factories=("one",)),
        "other county": key_for(db, "county_officer", region="320623"),
        "security": key_for(db, "secadmin"),
    }
    seen = {}
    for who, key in keys.items():
        with acting(db, key):
            seen[who] = [each.key for each in audit.entries(db, action="tried")][::-1]
    assert seen == {
        "auditor": [str(one), str(two), "about no factory"],
        "city": [str(one), str(two)],
        "owner of one": [str(one)],
        "other county": [],
        "security": [],
    }
