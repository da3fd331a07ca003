"""What gateways send over HTTPS: the same batches into the same ledger as by the direct way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

import store.batches
import store.registry
from api.bodies import BoundedRoute, binary, bounded
from api.database import Database, TheIngest
from api.gateways import TheGateway, client_certificate
from api.problems import described
from api.routes import ingest_models as models
from api.routes.answers import tagged_json
from store import access, wire
from store.batches import Batch, Receipt
from store.errors import AccessDenied, Refused, StoreUnavailable, is_about_content

PREFIX = "/ingest"

router = APIRouter(prefix=PREFIX, tags=["ingest"], route_class=BoundedRoute)

_MOST_NOTICE_BYTES = 1024 * 1024
# Bodies may come slowly; what they unpack to is held only while the database takes it.
_MOST_READ = 64
_MOST_TAKEN = 8
_TAKE_WAIT_S = 20.0

_HOW_TO_SEND = """
The body is one batch as `millpond collector` packs it. It is taken whole or not at all, and a
batch that was taken before is acknowledged again, so a batch without an answer may always be sent
again. Of an error the `type` names what is wrong, as `urn:millpond:error:` and the word: only what
the batch itself holds (`UnknownTag`, `BadHash`, `Refused`) stays wrong when it is sent again.
"""


class AtOnce:
    """How many batches are being read and taken; touched by the event loop alone."""

    def __init__(self) -> None:
        self.coming_in = 0
        self._room = asyncio.Semaphore(_MOST_TAKEN)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Count a body that comes in; raises StoreUnavailable where too many do."""
        if self.coming_in >= _MOST_READ:
            raise StoreUnavailable("as many batches as can be read at once are coming in")
        self.coming_in += 1
        try:
            yield
        finally:
            self.coming_in -= 1

    @asynccontextmanager
    async def taking(self) -> AsyncIterator[None]:
        """Wait for room beside the batches that are being taken; raises StoreUnavailable."""
        try:
            async with asyncio.timeout(_TAKE_WAIT_S):
                await self._room.acquire()
        except TimeoutError as error:
            raise StoreUnavailable("the batches before this one take too long") from error
        try:
            yield
        finally:
            self._room.release()


@router.post(
    "/batches",
    summary="Hand over a batch",
    description=_HOW_TO_SEND,
    responses=described(400, 401, 403, 408, 409, 413, 415, 422),
    openapi_extra=binary(wire.MOST_BYTES, wire.MEDIA_TYPE),
)
async def take_batch(request: Request, gateway: TheGateway, database: TheIngest) -> models.Receipt:
    """Take a batch into the ledger."""
    if request.headers.get("content-type") != wire.MEDIA_TYPE:
        raise HTTPException(415, f"Send the batch as {wire.MEDIA_TYPE}.")
    at_once: AtOnce = request.app.state.at_once
    with at_once.reading():
        body = await request.body()
        async with at_once.taking():
            batch, receipt = await run_in_threadpool(_take, database, gateway, body)
    return models.Receipt(
        outcome=receipt.outcome,
        batch_id=receipt.batch_id,
        seq=batch.seq,
        sha256=batch.sha256.hex(),
        absorbed=receipt.absorbed,
        conflicts=receipt.conflicts,
        server_time=datetime.now(UTC),
    )


def _take(database: Database, gateway: str, body: bytes) -> tuple[Batch, Receipt]:
    batch = wire.decode(body)
    if batch.gateway != gateway:
        raise AccessDenied(
            f"the batch is of gateway {batch.gateway}, but the token or certificate is that of "
            f"{gateway}; see whether the files of two gateways were mixed up"
        )
    try:
        with database.connection() as conn:
            return batch, store.batches.accept(conn, batch)
    except Refused as error:
        if is_about_content(error):
            raise
        raise StoreUnavailable(str(error)) from error


@router.get(
    "/tags",
    summary="List the tags of the plan",
    response_model=models.Tags,
    responses=described(401, 403) | {304: {"description": "Unchanged since the ETag given"}},
)
def read_tags(request: Request, gateway: TheGateway, database: TheIngest) -> Response:
    """The numbers by which batches name tags; the ETag changes when the plan does."""
    with database.connection() as conn:
        tags = store.registry.gateway_tags(conn, gateway)
    return tagged_json(request, models.Tags(tags=tags))


@router.get("/last", summary="Ask where the chain stands", responses=described(401, 403))
def read_last(gateway: TheGateway, database: TheIngest, response: Response) -> models.Last:
    """The newest batch of this gateway in the ledger."""
    response.headers["Cache-Control"] = "no-store"
    with database.connection() as conn:
        newest = store.batches.last(conn, gateway)
    if newest is None:
        return models.Last(seq=None, sha256=None)
    return models.Last(seq=newest[0], sha256=newest[1].hex())


@router.post(
    "/quarantine",
    summary="Hand over what could not be taken",
    responses=described(400, 401, 403, 408, 413, 422),
    openapi_extra=bounded(_MOST_NOTICE_BYTES),
)
def take_notices(notices: models.Notices, gateway: TheGateway, database: TheIngest) -> models.Kept:
    """Keep what a gateway could not decode, or dropped, for a person to see."""
    with database.connection() as conn:
        for one in notices.entries:
            store.batches.quarantine(conn, gateway, one.source, one.reason, one.payload)
    return models.Kept(kept=len(notices.entries))


@router.post(
    "/enrolments",
    summary="Enrol a gateway with a one-time code",
    responses=described(400, 403, 408, 413, 422),
)
def take_enrolment(
    asked: models.Enrolment, request: Request, database: TheIngest, response: Response
) -> models.Enrolled:
    """Register a gateway's public key; an answer that was lost may be asked for again."""
    response.headers["Cache-Control"] = "no-store"
    enrolment = access.Enrolment(
        gateway=asked.gateway,
        code=asked.code,
        public_key=bytes.fromhex(asked.public_key),
        signature=bytes.fromhex(asked.signature),
    )
    actor = f"code, from {request.client.host if request.client else 'unknown'}"
    with database.connection() as conn:
        token = access.enrol(conn, enrolment, client_certificate(request), actor=actor)
    return models.Enrolled(token=token, server_time=datetime.now(UTC))


@router.post("/tokens", summary="Renew the token", responses=described(401, 403))
def renew_token(gateway: TheGateway, database: TheIngest, response: Response) -> models.Renewed:
    """Give a new token; the old one ends when the new one is first used."""
    response.headers["Cache-Control"] = "no-store"
    with database.connection() as conn:
        token = access.renew_token(conn, gateway, actor="gateway")
    return models.Renewed(token=token, server_time=datetime.now(UTC))


@router.get("/time", summary="Ask for the time", responses=described())
def read_time(response: Response) -> models.Clock:
    """The time of this server."""
    response.headers["Cache-Control"] = "no-store"
    return models.Clock(server_time=datetime.now(UTC))
