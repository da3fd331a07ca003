"""What happens to a request: who sends, how much, what is in it, and when it is answered."""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from collectors.documents import NotDecoded, parse
from collectors.http import answers
from collectors.http import payload as http_payload
from collectors.http.payload import Content, TooMany
from collectors.http.settings import HttpSource
from collectors.sample import Delivery, now_us
from store.record_kinds import record_kind, unknown_kind

Decode = Callable[[Any], Content]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A delivery on its way to the spool; done says whether it got there."""

    delivery: Delivery
    done: "asyncio.Future[bool]"

    def settle(self, is_stored: bool) -> None:
        if not self.done.done():
            self.done.set_result(is_stored)


class Intake:
    """A bounded queue of requests, each answered when what it brought is in the spool."""

    def __init__(self, source: HttpSource, zone: ZoneInfo, token: str | None) -> None:
        self._source = source
        self._zone = zone
        self._token = token
        self._records = {record.kind: record for record in source.records}
        self._tags = frozenset(tag.tag for tag in source.tags)
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(source.queue)
        self._unanswered: set[_Waiting] = set()

    async def next(self) -> Delivery:
        """Return what the next request brought; its answer goes out when stored is called."""
        return (await self._queue.get()).delivery

    def end(self) -> None:
        """Tell those who wait to come again."""
        for waiting in self._unanswered:
            waiting.settle(False)

    async def take_records(self, request: Request) -> Response:
        """Answer POST /records/{kind}."""
        kind: str = request.path_params["kind"]
        rule = self._records.get(kind)
        if rule is not None:
            zone = self._zone
            return await self._take(request, lambda found: http_payload.records(rule, found, zone))
        if (refusal := self._stranger(request)) is not None:
            return refusal
        if record_kind(kind) is None:
            return answers.problem(HTTPStatus.NOT_FOUND, unknown_kind(kind))
        message = f'"{kind}" is not taken here: add a [[source.record]] of this kind'
        return answers.problem(HTTPStatus.NOT_FOUND, message)

    async def take_tags(self, request: Request) -> Response:
        """Answer POST /tags."""
        at_us = now_us()
        return await self._take(
            request, lambda found: http_payload.samples(self._tags, found, at_us, self._zone)
        )

    async def _take(self, request: Request, decode: Decode) -> Response:
        if (refusal := self._stranger(request)) is not None:
            return refusal
        try:
            async with asyncio.timeout(self._source.timeout_s):
                body = await self._body(request)
        except TimeoutError:
            return answers.problem(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time")
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        if body is None:
            most = f"a body has at most {self._source.max_body_kb} kB; send less at a time"
            return answers.problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, most)
        try:
            content = decode(parse(body))
        except TooMany as error:
            return answers.problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        except NotDecoded as error:
            content = Content()
            text = body.decode("utf-8", errors="backslashreplace")
            content.refuse_text(f"{request.url.path}: {error}", text, str(error))
        return await self._store(content)

    def _stranger(self, request: Request) -> Response | None:
        """Return what to answer one who may not send."""
        if self._token is None:
            return None
        given = request.headers.get("authorization", "").encode()
        if hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            return None
        message = "send the header Authorization: Bearer with the token of this source"
        return answers.problem(HTTPStatus.UNAUTHORIZED, message)

    async def _body(self, request: Request) -> bytes | None:
        """Return the body, None where it is longer than allowed."""
        most = self._source.max_body_kb * 1000
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > most:
                return None
        return bytes(body)

    async def _store(self, content: Content) -> Response:
        """Wait until the spool has everything, good and refused, and say what became of it."""
        delivery = content.delivery
        counts = len(delivery.records) + len(delivery.samples), len(delivery.refused)
        waiting = _Waiting(delivery, asyncio.get_running_loop().create_future())
        delivery.stored = partial(waiting.settle, True)
        self._unanswered.add(waiting)
        try:
            self._queue.put_nowait(waiting)
            async with asyncio.timeout(self._source.timeout_s):
                is_stored = await waiting.done
        except asyncio.QueueFull:
            return _come_again("too many requests wait for the disk already")
        except TimeoutError:
            return _come_again("the disk does not take it in time")
        finally:
            self._unanswered.discard(waiting)
        if not is_stored:
            return _come_again("the gateway is ending")
        if content.faults:
            return answers.refused(*counts, content.faults)
        return answers.accepted(counts[0])


def _come_again(reason: str) -> Response:
    message = f"{reason}; send it again, nothing counts twice"
    return answers.problem(HTTPStatus.SERVICE_UNAVAILABLE, message)
