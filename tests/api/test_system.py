"""What the system administrator sees and does, and that nothing of the business is in it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

import store
from store import audit, job_runs, messages, operation
from store.acting import acting
from store.errors import NotPermitted
from tests.api.conftest import served
from tests.api.html import rows
from tests.api.pool.desk import Desk
from tests.api.pool.pooled import Pooled
from tests.store.people import key_for

ADMIN = "sysadmin"


@pytest.fixture
def desk(db: store.Connection, database_url: str) -> Iterator[Desk]:
    with served(database_url) as address:
        found = Desk(db, address)
        yield found
        found.close()


@pytest.fixture
def failed(desk: Desk) -> int:
    """A letter to an officer that failed for good; the mail server repeated the address."""
    pooled = Pooled.load(desk.conn)
    actor, _ = pooled.person("city_officer")
    desk.conn.execute(
        "UPDATE auth.account SET email = 'liwei@example.com' WHERE account_id = %s",
        (actor.account_id,),
    )
    names = {"zh": {"what": "示例"}, "en": {"what": "sample"}}
    told = messages.tell(
        desk.conn, pooled.factory_id, ["city_officer"], "recall", names, pooled.now
    )
    messages.deliver(desk.conn, told, ["email"], pooled.now, most_queued=10)
    (taken,) = messages.claim(
        desk.conn, "email", pooled.now, pooled.now + timedelta(minutes=1), most=5
    )
    error = "550 <liwei@example.com>: no such user 13800000000"
    messages.end(desk.conn, taken.delivery_id, "failed", pooled.now, error=error)
    return taken.delivery_id


def test_the_state_of_everything_stands_on_the_page_and_in_json(desk: Desk) -> None:
    with job_runs.running(desk.conn, "facts", 90) as run:
        run.counts = {"done": 3}
    job_runs.note_failures(desk.conn, "facts", {"sample/A": "示例错误"}, job_runs.Backoff())
    found = desk.as_(ADMIN)[0].get("/api/v1/system").json()
    assert found["migrations"] == found["database"]["migrations"] > 20
    assert found["database"]["size_bytes"] > 10**6
    assert 0 < found["disk"]["free_bytes"] <= found["disk"]["size_bytes"]
    assert [(each["name"], each["outcome"]) for each in found["jobs"]] == [("facts", "done")]
    assert [each["piece"] for each in found["failed_pieces"]] == ["sample/A"]
    assert {each["name"] for each in found["queues"]} == {
        *("documents", "entries", "letters", "webhooks"),
    }
    page = desk.page(ADMIN, "/system")
    tables = [[row[0].text for row in rows(table)] for table in page.all("table")]
    assert tables[:2] == [["小时事实"], ["小时事实"]]
    assert "示例错误" in page.text
    assert "As of" in desk.page(ADMIN, "/system?lang=en").text


def test_a_job_that_fails_is_shown_with_why(desk: Desk) -> None:
    with pytest.raises(ValueError, match="示例"), job_runs.running(desk.conn, "night", 90):
        raise ValueError("示例故障")
    (row,) = rows(desk.page(ADMIN, "/system").all("table")[0])
    assert "失败" in row[1].text
    assert "示例故障" in row[5].text


def test_letters_are_shown_without_what_they_say_and_whom_they_reach(
    desk: Desk, failed: int
) -> None:
    (found,) = desk.as_(ADMIN)[0].get("/api/v1/outbox").json()["items"]
    assert (found["kind"], found["state"], found["address"]) == (
        "recall",
        "failed",
        "l***@example.com",
    )
    assert found["error"] == "550 <***>: no such user ***"
    text = desk.page(ADMIN, "/outbox").text
    assert "liwei@" not in text
    assert "示例" not in text


def test_a_letter_that_failed_is_tried_again_and_the_audit_says_who(
    desk: Desk, failed: int
) -> None:
    assert desk.send(ADMIN, f"/outbox/{failed}/retry").status_code == 303
    (found,) = operation.outbox(desk.conn)
    assert (found.state, found.attempts) == ("queued", 0)
    assert desk.send(ADMIN, f"/outbox/{failed}/retry").status_code == 303, "it waits already"
    assert desk.send(ADMIN, f"/outbox/{failed + 1}/retry").status_code == 404
    (noted,) = audit.entries(desk.conn, action="letter_retried")
    assert (noted.actor, noted.key) == (desk.actors[ADMIN].name, str(failed))


@pytest.mark.parametrize("role", ["city_leader", "secadmin", "auditor"])
def test_nobody_else_sees_the_system(desk: Desk, failed: int, role: str) -> None:
    for path in ("/system", "/outbox", "/api/v1/system", "/api/v1/outbox"):
        assert desk.as_(role)[0].get(path).status_code == 403, path
    key = key_for(desk.conn, role)
    with acting(desk.conn, key):
        assert operation.outbox(desk.conn) == []
        assert operation.jobs(desk.conn) == []
        assert operation.queues(desk.conn) == []
    with pytest.raises(NotPermitted), acting(desk.conn, key):
        operation.retry(desk.conn, failed)
