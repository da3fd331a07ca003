"""The texts of letters: what holds today, proposing another, deciding on a proposal."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from api.bodies import BoundedRoute, bounded
from api.database import TheDatabase
from api.errors import NotFound
from api.exports import letter, texts
from api.exports.kinds import DocumentKind, kinds
from api.exports.texts import InForce
from api.idempotency import Made, TheOnce
from api.identity import Caller, needs
from api.permissions import Permission
from api.pool import proposing, workdays
from api.problems import described
from api.routes import letter_models as models
from api.routes.deciding import decided
from api.routes.parameters import Number
from api.routes.pool_models import Decision, TakenBack, what_became
from store import Connection, proposals
from store.proposals import TEXTS, Proposal

router = APIRouter(prefix="/letter-texts", tags=["letter texts"], route_class=BoundedRoute)

# Every character of a text may be escaped.
_MOST_BYTES = 8 * texts.LONGEST_TEXT
_MOST = 200

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Setter = Annotated[Caller, needs(Permission.SET_POLICY)]
Kind = Annotated[str, Path(pattern=r"^\w{1,40}$", description="Of the letter")]


@router.get("", summary="List the letters' texts", responses=described(401, 403))
def list_texts(caller: Reader, database: TheDatabase) -> models.LetterTextList:
    """Every kind of letter with the text that holds today, and how many wait for a decision."""
    day = workdays.today(datetime.now(UTC))
    with database.acting(caller) as conn:
        waiting = [each.subject for each in proposals.listed(conn, TEXTS, waiting=True)]
        found = [(kind, texts.held(conn, kind.kind, day)) for kind in kinds().values()]
    return models.LetterTextList(
        items=[
            models.LetterText(**_heading(kind, held, waiting.count(kind.kind)))
            for kind, held in found
        ]
    )


@router.get("/{kind}", summary="Read a letter's text", responses=described(401, 403, 404, 422))
def read_text(
    caller: Reader,
    database: TheDatabase,
    kind: Kind,
    limit: Annotated[int, Query(ge=1, le=_MOST, description="Of the proposals")] = 20,
) -> models.WholeLetterText:
    """Its content, what it may name, and what was ever proposed for it, newest first."""
    known = kinds().get(kind)
    if known is None:
        raise NotFound(f"there is no document {kind}")
    day = workdays.today(datetime.now(UTC))
    with database.acting(caller) as conn:
        held = texts.held(conn, kind, day)
        found = proposals.listed(conn, TEXTS, subject=kind, most=limit)
        waiting = len(proposals.listed(conn, TEXTS, subject=kind, waiting=True))
    return models.WholeLetterText(
        **_heading(known, held, waiting),
        content=held.content,
        placeholders=sorted(letter.FACTS),
        inserts=sorted(letter.INSERTS),
        proposals=[_shown(each) for each in found],
    )


@router.post(
    "/{kind}/proposals",
    summary="Propose a text",
    response_model=models.TextProposal,
    responses=described(400, 401, 403, 404, 408, 413, 422),
    openapi_extra=bounded(_MOST_BYTES),
)
def propose(caller: Setter, once: TheOnce, kind: Kind, given: models.NewText) -> Response:
    """Letters are made with it from its day on once somebody else has confirmed it."""

    def make(conn: Connection) -> Made:
        number = texts.propose(
            conn, caller.actor, kind, given.content,
            valid_from=given.valid_from, source=given.source, now=datetime.now(UTC),
        )  # fmt: skip
        return Made(_shown(proposing.of(conn, proposing.TEXTS, number)))

    return once(caller, given, make)


@router.post(
    "/proposals/{number}/decision",
    summary="Confirm or decline a text",
    response_model=models.TextProposal,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def decide(caller: Setter, once: TheOnce, number: Number, given: Decision) -> Response:
    """Who proposed a text does not decide on it."""
    return decided(once, caller, proposing.TEXTS, number, given, _shown)


@router.post(
    "/proposals/{number}/withdrawal",
    summary="Withdraw a text",
    response_model=models.TextProposal,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def withdraw(caller: Setter, once: TheOnce, number: Number, given: TakenBack) -> Response:
    """Who proposed a text takes it back while it waits."""
    return decided(once, caller, proposing.TEXTS, number, given, _shown)


def _heading(kind: DocumentKind, held: InForce, waiting: int) -> dict[str, Any]:
    return {
        "kind": kind.kind,
        "name_zh": kind.zh,
        "name_en": kind.en,
        "template_id": held.letter.template_id,
        "own": held.number is not None,
        "waiting": waiting,
    }


def _shown(found: Proposal) -> models.TextProposal:
    return models.TextProposal(
        number=found.number,
        kind=found.subject,
        content=found.value,
        **what_became(found),
    )
