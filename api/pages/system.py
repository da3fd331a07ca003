"""The system administrator's pages: how the installation runs, and letters that did not go out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

import store.operation
from api import operation
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.formats import NOTHING, local_minute
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.operation import OVERDUE_S, System
from api.pages.templates import Word, page
from api.paging import cut
from api.permissions import Permission
from api.routes.parameters import Before, Number
from api.verdicts import Tone
from store.operation import GatewayState, JobState, OutboxLetter, QueueState

router = APIRouter(route_class=BoundedRoute)

_AT_ONCE = 50
_OUTCOMES: dict[str, Tone] = {"done": "good", "failed": "bad", "running": "plain"}
# A disk with less of it free is shown as a warning.
_LEAST_FREE = 0.1
JOB_NAMES = ("facts", "figures", "findings", "evidence", "night")
_REMINDERS = ("opened", "first", "last", "raised")

Reader = Annotated[Caller, needs(Permission.READ_SYSTEM)]
Operator = Annotated[Caller, needs(Permission.OPERATE_SYSTEM)]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is so, with its word where it is good or bad."""

    name: str
    value: str
    word: Word | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page; the first cell of a row is its head."""

    anchor: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str | Word, ...], ...]
    empty: str


@router.get("/system", response_class=HTMLResponse)
def read_system(
    request: Request, caller: Reader, database: TheDatabase, language: TheLanguage
) -> HTMLResponse:
    """Show versions, room, jobs, queues and gateways."""
    with database.acting(caller) as conn:
        found = operation.state(conn, datetime.now(UTC))
    t = Texts(language)
    tables = (_jobs(t, found), _pieces(t, found), _queues(t, found), _gateways(t, found))
    at = local_minute(found.at)
    return page(request, "system.html", facts=_facts(t, found), tables=tables, at=at)


@router.get("/outbox", response_class=HTMLResponse)
def read_outbox(
    request: Request,
    caller: Reader,
    database: TheDatabase,
    language: TheLanguage,
    before: Before = None,
) -> HTMLResponse:
    """List e-mails and SMS that wait or failed, without what they say."""
    with database.acting(caller) as conn:
        found = store.operation.outbox(conn, before=before, most=_AT_ONCE + 1)
    shown, older = cut(found, _AT_ONCE, lambda each: each.delivery_id)
    rows = [_letter(Texts(language), each) for each in shown]
    return page(request, "outbox.html", rows=rows, older=older)


@router.post("/outbox/{delivery_id}/retry")
def retry(
    caller: Operator,
    database: TheDatabase,
    delivery_id: Number,
) -> Response:
    """Give a letter that failed for good another round of tries."""
    with database.acting(caller) as conn:
        operation.retry_letter(conn, caller.actor, delivery_id)
    return RedirectResponse("/outbox", 303)


@dataclass(frozen=True, slots=True)
class Row:
    """A letter as the page shows it."""

    number: int
    what: str
    kind: str
    address: str
    state: Word
    why: str
    attempts: int
    made: str
    next_try: str
    has_failed: bool


def _letter(t: Texts, found: OutboxLetter) -> Row:
    has_failed = found.state == "failed"
    kind = t("outbox.reminder" if found.kind in _REMINDERS else "outbox.notice")
    return Row(
        number=found.delivery_id,
        what=t("common.separator").join((t(f"messages.{found.channel}"), kind)),
        kind=found.kind,
        address=found.address or NOTHING,
        state=Word(t(f"outbox.{found.state}"), "bad" if has_failed else "plain"),
        why=found.error or "",
        attempts=found.attempts,
        made=local_minute(found.sent_at),
        next_try=NOTHING if has_failed else local_minute(found.next_try_at),
        has_failed=has_failed,
    )


def _facts(t: Texts, found: System) -> tuple[Fact, ...]:
    database, disk = found.database, found.disk
    is_whole = database.migrations == found.migrations
    share = disk.free_bytes / disk.size_bytes
    return (
        Fact(t("system.version"), found.version),
        Fact(
            t("system.migrations"),
            f"{database.migrations} / {found.migrations}",
            _right(t, is_whole),
        ),
        Fact(t("system.size"), _bytes(database.size_bytes)),
        Fact(t("system.disk"), _bytes(disk.free_bytes), _right(t, share >= _LEAST_FREE)),
        Fact(t("system.server"), database.server.partition(" ")[0]),
        Fact(t("system.extension"), database.timescaledb or NOTHING),
        Fact(t("system.started"), local_minute(database.started_at)),
        Fact(t("system.night"), found.night_at),
        Fact(t("system.turn"), t("system.seconds", seconds=found.turn_s)),
    )


def _right(t: Texts, right: bool) -> Word:
    return Word(t("system.right"), "good") if right else Word(t("system.wrong"), "bad")


def _jobs(t: Texts, found: System) -> Table:
    heads = ("job", "outcome", "began", "succeeded", "failed_in_day", "why")
    rows = tuple(_job(t, each, found.at) for each in found.jobs)
    return _table(t, "jobs", heads, rows)


def _job(t: Texts, found: JobState, now: datetime) -> tuple[str | Word, ...]:
    key = found.outcome.replace(" ", "_")
    text = t(f"system.{key}")
    since_s = (now - (found.done_at or found.started_at)).total_seconds()
    tone: Tone = _OUTCOMES.get(found.outcome, "bad")
    if tone == "good" and found.name != "night" and since_s > OVERDUE_S:
        text, tone = t("common.separator").join((text, t("system.overdue"))), "warn"
    done = local_minute(found.done_at)
    started = local_minute(found.started_at)
    name = t(f"system.job_{found.name}") if found.name in JOB_NAMES else found.name
    return name, Word(text, tone), started, done, str(found.failed_in_day), found.error or ""


def _pieces(t: Texts, found: System) -> Table:
    heads = ("job", "piece", "failures", "since", "next_try", "why")
    rows = tuple(
        (
            t(f"system.job_{each.name}") if each.name in JOB_NAMES else each.name,
            *(each.piece, str(each.failures)),
            local_minute(each.failed_since),
            local_minute(each.next_try_at),
            each.error,
        )
        for each in found.failed_pieces
    )
    return _table(t, "pieces", heads, rows)


def _queues(t: Texts, found: System) -> Table:
    rows = tuple(_queue(t, each) for each in found.queues)
    return _table(t, "queues", ("queue", "waiting", "oldest", "given_up"), rows)


def _queue(t: Texts, found: QueueState) -> tuple[str | Word, ...]:
    failed = Word(str(found.failed), "bad" if found.failed else "plain")
    oldest = local_minute(found.oldest)
    return t(f"system.{found.name}"), str(found.waiting), oldest, failed


def _gateways(t: Texts, found: System) -> Table:
    rows = tuple(_gateway(t, each) for each in found.gateways)
    return _table(t, "gateways", ("gateway", "plant", "state", "batch", "received", "skew"), rows)


def _gateway(t: Texts, found: GatewayState) -> tuple[str | Word, ...]:
    if found.revoked_at is not None:
        state = Word(t("system.revoked"), "plain")
    elif found.received_at is None:
        state = Word(t("system.never"), "warn")
    else:
        state = Word(t("system.enrolled"), "good")
    skew = NOTHING if found.clock_skew_s is None else f"{found.clock_skew_s:.1f}"
    seq = NOTHING if found.seq is None else str(found.seq)
    return found.code, found.factory, state, seq, local_minute(found.received_at), skew


def _table(
    t: Texts, name: str, heads: tuple[str, ...], rows: tuple[tuple[str | Word, ...], ...]
) -> Table:
    texts = tuple(t(f"system.{head}") for head in heads)
    return Table(name, t(f"system.{name}"), texts, rows, t("system.nothing"))


def _bytes(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
