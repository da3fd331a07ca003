"""The queue of documents, worked off by processes that may fail, hang or vanish."""

import sys
import threading
from datetime import timedelta

import pytest

import store.registry
from api.exports import register
from api.exports.worker import DOCUMENTS
from api.worker import Limits, work_off, working
from store import documents, events
from store.acting import Actor
from store.documents import Document
from tests.api.exports.made import LOST_AFTER
from tests.api.pool.pooled import Pooled
from tests.support.waiting import wait_for

AT_ONCE = Limits(seconds=60, waits_s=(0.0, 0.0))
HANGS = (sys.executable, "-c", "import time; time.sleep(600)")
FAILS = (sys.executable, "-c", "import sys; print('first line'); sys.exit('示例错误')")
BABBLES = (
    sys.executable,
    "-c",
    "import sys; sys.stderr.buffer.write(b'cut \\xe7\\0 here'); sys.exit(5)",
)
REFUSES = (
    sys.executable,
    "-c",
    "import sys; print('the figures are away', file=sys.stderr); sys.exit(3)",
)


@pytest.fixture
def waiting(pooled: Pooled) -> Document:
    """A warning's letter that waits to be made."""
    pooled.warn()
    assert register.ask_for_steps(pooled.conn, pooled.now) == 1
    (found,) = documents.listed(pooled.conn, pooled.factory_id)
    return found


def state(pooled: Pooled, document: Document) -> Document:
    found = documents.get(pooled.conn, document.document_id)
    assert found is not None
    return found


def test_what_steps_made_due_is_made_in_a_process_of_its_own(
    pooled: Pooled, database_url: str
) -> None:
    pooled.warn()
    assert work_off(DOCUMENTS, database_url) == 1
    (found,) = documents.listed(pooled.conn, pooled.factory_id)
    assert (found.state, found.attempts, found.error) == ("done", 1, None)
    assert work_off(DOCUMENTS, database_url) == 0


def test_a_process_that_hangs_is_ended_tried_again_and_given_up_with_the_reason(
    pooled: Pooled, waiting: Document, database_url: str
) -> None:
    limits = Limits(seconds=0.4, waits_s=(0.0,))
    assert work_off(DOCUMENTS, database_url, limits=limits, command=HANGS) == 0
    found = state(pooled, waiting)
    assert (found.state, found.attempts, found.error) == ("failed", 2, "timeout: 0.4 s")
    said = events.since(pooled.conn, 0)
    assert said[-1].kind == "document_failed"
    assert said[-1].payload["error"] == "timeout: 0.4 s"


def test_a_failure_is_tried_again_and_the_last_word_of_it_is_kept(
    pooled: Pooled, waiting: Document, database_url: str
) -> None:
    work_off(DOCUMENTS, database_url, limits=AT_ONCE, command=FAILS)
    found = state(pooled, waiting)
    assert (found.state, found.attempts, found.error) == ("failed", 3, "broken: 示例错误")


def test_what_a_dying_process_says_may_be_no_text(
    pooled: Pooled, waiting: Document, database_url: str
) -> None:
    work_off(DOCUMENTS, database_url, limits=AT_ONCE, command=BABBLES)
    found = state(pooled, waiting)
    assert (found.state, found.error) == ("failed", "broken: cut \ufffd here")


def test_what_can_never_succeed_is_not_tried_again(
    pooled: Pooled, waiting: Document, database_url: str
) -> None:
    work_off(DOCUMENTS, database_url, limits=AT_ONCE, command=REFUSES)
    found = state(pooled, waiting)
    assert (found.state, found.attempts) == ("failed", 1)
    assert found.error == "refused: the figures are away"


def test_a_failed_letter_may_be_asked_for_again_and_is_the_first_version(
    pooled: Pooled, waiting: Document, database_url: str
) -> None:
    work_off(DOCUMENTS, database_url, limits=AT_ONCE, command=REFUSES)
    factory = store.registry.factory_by_code(pooled.conn, "sample")
    officer = Actor(None, "示例经办", "city_officer")
    again = register.ask(pooled.conn, officer, factory, "warning_notice", now=pooled.now)
    # Its time is the test's, which the database's clock has passed.
    assert work_off(DOCUMENTS, database_url) == 1
    assert state(pooled, again).version == 1


def test_a_document_waits_before_it_is_tried_again(
    pooled: Pooled, waiting: Document, database_url: str
) -> None:
    work_off(DOCUMENTS, database_url, limits=Limits(60, (3600.0,)), command=FAILS)
    found = state(pooled, waiting)
    assert (found.state, found.attempts) == ("queued", 1)
    assert work_off(DOCUMENTS, database_url) == 0


def test_a_document_whose_maker_vanished_is_taken_again_and_the_late_one_changes_nothing(
    pooled: Pooled, waiting: Document
) -> None:
    first = documents.take(pooled.conn, LOST_AFTER)
    assert first == (waiting.document_id, 1)
    assert documents.take(pooled.conn, LOST_AFTER) is None
    second = documents.take(pooled.conn, timedelta(0))
    assert second == (waiting.document_id, 2)
    assert not documents.fail(pooled.conn, *first, "broken: late", None)
    assert state(pooled, waiting).state == "running"


def test_a_worker_that_is_stopped_ends_its_process_and_leaves_the_document_to_the_next(
    pooled: Pooled, waiting: Document, database_url: str
) -> None:
    stop = threading.Event()
    thread = threading.Thread(
        target=work_off, args=(DOCUMENTS, database_url), kwargs={"command": HANGS, "stop": stop}
    )
    thread.start()
    wait_for(lambda: state(pooled, waiting).state == "running", "the document to be taken")
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert state(pooled, waiting).state == "queued"
    assert work_off(DOCUMENTS, database_url) == 1


def test_the_thread_of_the_server_makes_what_is_due(pooled: Pooled, database_url: str) -> None:
    pooled.warn()
    with working(database_url, DOCUMENTS):
        wait_for(
            lambda: [d.state for d in documents.listed(pooled.conn, pooled.factory_id)] == ["done"],
            "the letter to be made",
        )
