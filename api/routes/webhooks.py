"""Webhooks: the feed sent to the bureau's other systems, each subscription its owner's own."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.idempotency import Made, TheOnce
from api.identity import Caller, needs
from api.permissions import Permission
from api.problems import described
from api.routes import webhook_models as models
from api.routes.parameters import Number, SmallNumber
from api.webhooks import subscriptions
from store import Connection, webhooks

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=BoundedRoute)

Manager = Annotated[Caller, needs(Permission.MANAGE_WEBHOOKS)]

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
    caller: Manager, once: TheOnce, request: Request, given: models.NewWebhook
) -> Response:
    """Have the feed sent to an address from now on, or from a cursor."""

    def make(conn: Connection) -> Made:
        number, secret = subscriptions.make(
            conn, caller.actor, given.name, given.url, given.kinds, cursor=given.cursor
        )
        return Made(
            models.MadeWebhook(webhook=_shown(subscriptions.of(conn, number)), secret=secret),
            status=201,
            location=f"{request.url.path}/{number}",
        )

    return once(caller, given, make)


@router.get("", summary="List your subscriptions", responses=described(401, 403))
def list_webhooks(caller: Manager, database: TheDatabase) -> models.WebhookList:
    """Those that have not ended, with how their deliveries stand."""
    with database.acting(caller) as conn:
        return models.WebhookList(items=[_shown(each) for each in webhooks.listed(conn)])


@router.get("/{webhook_id}", summary="Read a subscription", responses=described(401, 403, 404, 422))
def read_webhook(caller: Manager, database: TheDatabase, webhook_id: SmallNumber) -> models.Webhook:
    """How its deliveries stand; its secret is not shown again."""
    with database.acting(caller) as conn:
        return _shown(subscriptions.of(conn, webhook_id))


@router.put(
    "/{webhook_id}/paused",
    summary="Pause a subscription",
    status_code=204,
    responses=described(400, 401, 403, 404, 408, 413, 422),
)
def pause(caller: Manager, database: TheDatabase, webhook_id: SmallNumber) -> None:
    """Nothing is sent until it goes on; then it goes on from where it was."""
    with database.acting(caller) as conn:
        subscriptions.pause(conn, caller.actor, webhook_id, paused=True)


@router.delete(
    "/{webhook_id}/paused",
    summary="Let a subscription go on",
    status_code=204,
    responses=described(400, 401, 403, 404, 408, 413, 422),
)
def go_on(caller: Manager, database: TheDatabase, webhook_id: SmallNumber) -> None:
    """What happened meanwhile is sent in order."""
    with database.acting(caller) as conn:
        subscriptions.pause(conn, caller.actor, webhook_id, paused=False)


@router.put(
    "/{webhook_id}/trial",
    summary="Send a trial delivery",
    status_code=202,
    responses=described(400, 401, 403, 404, 408, 413, 422),
)
def send_trial(caller: Manager, database: TheDatabase, webhook_id: SmallNumber) -> models.Webhook:
    """A part without items goes out once at the next turn; `tried_at` and `trial_fault` tell."""
    with database.acting(caller) as conn:
        subscriptions.ask_trial(conn, caller.actor, webhook_id)
        return _shown(subscriptions.of(conn, webhook_id))


@router.delete(
    "/{webhook_id}",
    summary="End a subscription",
    status_code=204,
    responses=described(400, 401, 403, 404, 408, 413, 422),
)
def end_webhook(caller: Manager, database: TheDatabase, webhook_id: SmallNumber) -> None:
    """Nothing more is sent."""
    with database.acting(caller) as conn:
        subscriptions.end(conn, caller.actor, webhook_id)


@router.get(
    "/{webhook_id}/dead-letters",
    summary="List what did not arrive",
    responses=described(401, 403, 404, 422),
)
def list_dead_letters(
    caller: Manager, database: TheDatabase, webhook_id: SmallNumber
) -> models.DeadLetterList:
    """The parts that were given up, newest first."""
    with database.acting(caller) as conn:
        subscriptions.of(conn, webhook_id)
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
    once: TheOnce,
    webhook_id: SmallNumber,
    letter_id: Number,
    given: models.Redelivery,
) -> Response:
    """It goes out beside what is due, at the next turn, once."""

    def make(conn: Connection) -> Made:
        found = subscriptions.send_again(conn, caller.actor, webhook_id, letter_id)
        return Made(_letter(found))

    return once(caller, given, make)


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
        paused_at=found.paused_at,
        trial_at=found.trial_at,
        tried_at=found.tried_at,
        trial_fault=found.trial_fault,
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
