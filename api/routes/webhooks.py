"""Webhooks: the feed sent to the bureau's other systems, each subscription its owner's own."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

import store.feed
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.errors import NotFound
from api.idempotency import IdempotencyKey, Made, once
from api.identity import Caller, needs
from api.permissions import Permission
from api.pool.errors import Declined
from api.problems import described
from api.routes import webhook_models as models
from api.webhooks import address
from store import Connection, audit, webhooks

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=BoundedRoute)

_MOST_EACH = 20
_LARGEST = 2**31 - 1

Manager = Annotated[Caller, needs(Permission.MANAGE_WEBHOOKS)]
WebhookId = Annotated[int, Path(ge=1, le=_LARGEST, description="Its number")]
LetterId = Annotated[int, Path(ge=1, le=2**53 - 1, description="Its number")]

_HOW_TO_RECEIVE = """
Each delivery is a POST with a part of the feed as JSON, as `GET /follow-up` answers it. Answer with
a 2xx status within 10 s, once what came is stored: until then nothing later is sent, and the same
part comes again after 10 s, 1 min, 5 min, 30 min, 2 h, 6 h, 12 h and 24 h. After that it is a dead
letter, to be looked at and sent again by hand, and the next part comes. A part can come twice, as
where your answer was lost: know it by the cursors of its items.

`Millpond-Signature: t=TIME,v1=HMAC` proves who sent it: HMAC is HMAC-SHA256 in hexadecimal, with
the secret as key, over TIME (s since 1970), a dot and the bytes of the body. Refuse a TIME that is
more than five minutes off. `Millpond-Delivery` names subscription and part, the same at each try.
Redirects are not followed, and nothing of your answer but its status is read. What is delivered is
in the scope of your account; it stops while the account is shut.
"""


@router.post(
    "",
    summary="Subscribe a system",
    description=_HOW_TO_RECEIVE,
    status_code=201,
    response_model=models.MadeWebhook,
    responses=described(400, 401, 403, 408, 413, 422),
)
def subscribe(
    caller: Manager,
    database: TheDatabase,
    request: Request,
    given: models.NewWebhook,
    key: IdempotencyKey,
) -> Response:
    """Have the feed sent to an address from now on, or from a cursor."""
    account_id = caller.actor.account_id
    assert account_id is not None
    with database.acting(caller) as conn:

        def make() -> Made:
            address.check(given.url)
            if len(webhooks.listed(conn)) >= _MOST_EACH:
                raise Declined(f"an account has {_MOST_EACH} subscriptions at most; end one first")
            secret = f"whsec_{secrets.token_urlsafe(32)}"
            cursor = store.feed.end(conn) if given.cursor is None else given.cursor
            new = webhooks.NewWebhook(
                account_id, given.name, given.url, given.kinds, secret, cursor
            )
            number = webhooks.subscribe(conn, new)
            _note(conn, caller, "webhook_made", number, {"name": given.name, "url": given.url})
            return Made(
                models.MadeWebhook(webhook=_shown(_of(conn, number)), secret=secret),
                status=201,
                location=f"{request.url.path}/{number}",
            )

        return once(conn, caller, key, request, given, make)


@router.get("", summary="List your subscriptions", responses=described(401, 403))
def list_webhooks(caller: Manager, database: TheDatabase) -> models.WebhookList:
    """Those that have not ended, with how their deliveries stand."""
    with database.acting(caller) as conn:
        return models.WebhookList(items=[_shown(each) for each in webhooks.listed(conn)])


@router.get("/{webhook_id}", summary="Read a subscription", responses=described(401, 403, 404, 422))
def read_webhook(caller: Manager, database: TheDatabase, webhook_id: WebhookId) -> models.Webhook:
    """How its deliveries stand; its secret is not shown again."""
    with database.acting(caller) as conn:
        return _shown(_of(conn, webhook_id))


@router.delete(
    "/{webhook_id}",
    summary="End a subscription",
    status_code=204,
    responses=described(400, 401, 403, 404, 408, 413, 422),
)
def end_webhook(caller: Manager, database: TheDatabase, webhook_id: WebhookId) -> None:
    """Nothing more is sent."""
    with database.acting(caller) as conn:
        _of(conn, webhook_id)
        webhooks.end(conn, webhook_id)
        _note(conn, caller, "webhook_ended", webhook_id, {})


@router.get(
    "/{webhook_id}/dead-letters",
    summary="List what did not arrive",
    responses=described(401, 403, 404, 422),
)
def list_dead_letters(
    caller: Manager, database: TheDatabase, webhook_id: WebhookId
) -> models.DeadLetterList:
    """The parts that were given up, newest first."""
    with database.acting(caller) as conn:
        _of(conn, webhook_id)
        found = webhooks.dead_letters(conn, webhook_id)
    return models.DeadLetterList(items=[_letter(each) for each in found])


@router.post(
    "/{webhook_id}/dead-letters/{letter_id}/redelivery",
    summary="Send a part once more",
    response_model=models.DeadLetter,
    responses=described(400, 401, 403, 404, 408, 413, 422),
)
def send_again(
    caller: Manager,
    database: TheDatabase,
    request: Request,
    webhook_id: WebhookId,
    letter_id: LetterId,
    given: models.Redelivery,
    key: IdempotencyKey,
) -> Response:
    """It goes out beside what is due, at the next turn, once."""
    with database.acting(caller) as conn:

        def make() -> Made:
            _of(conn, webhook_id)
            webhooks.send_again(conn, webhook_id, letter_id)
            found = webhooks.dead_letters(conn, webhook_id, letter_id)
            if not found:
                raise NotFound(f"the subscription has no dead letter {letter_id}")
            _note(conn, caller, "webhook_again", webhook_id, {"letter_id": letter_id})
            return Made(_letter(found[0]))

        return once(conn, caller, key, request, given, make)


def _of(conn: Connection, webhook_id: int) -> webhooks.Webhook:
    found = webhooks.listed(conn, webhook_id)
    if not found:
        raise NotFound(f"you have no subscription {webhook_id}")
    return found[0]


def _note(
    conn: Connection, caller: Caller, action: str, webhook_id: int, after: dict[str, object]
) -> None:
    audit.note(conn, caller.actor, action, kind="webhook", key=str(webhook_id), after=after)


def _shown(found: webhooks.Webhook) -> models.Webhook:
    return models.Webhook(
        webhook_id=found.webhook_id,
        name=found.name,
        url=found.url,
        kinds=found.kinds,
        made_at=found.made_at,
        cursor=found.cursor,
        attempts=found.attempts,
        next_at=found.next_at if found.attempts else None,
        delivered_at=found.delivered_at,
        last_fault=found.last_fault,
    )


def _letter(found: webhooks.DeadLetter) -> models.DeadLetter:
    return models.DeadLetter(
        letter_id=found.letter_id,
        after=found.after,
        through=found.through,
        attempts=found.attempts,
        fault=found.fault,
        died_at=found.died_at,
        waits=found.again_at is not None,
        delivered_at=found.delivered_at,
    )
