"""Requests to the city's ingest: one bounded turn each, and every failure as one of our own.

Only outbound: nothing here listens. Proxies are those of the environment (HTTPS_PROXY, NO_PROXY).
"""

import json
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from collectors.config.file import GatewayConfig
from collectors.config.sink import address_fault
from collectors.errors import NotSet, SinkUnavailable
from collectors.sink.clock import ClockWatch
from store.errors import (
    BadHash,
    BadSignature,
    EnrolmentRefused,
    Refused,
    SequenceConflict,
    UnknownTag,
    WireRefused,
)

_PATH = "/api/v1/ingest/"
_TYPE = "urn:millpond:error:"
_MOST_ANSWER = 32 * 1024 * 1024
_MOST_SHOWN = 300
_MOST_AFTER_S = 3600.0
# How often somebody is asked who must first change their mind.
_SHUT_OUT_S = 300.0

_SHUT_OUT = ("AccessDenied", "GatewayRevoked", "UnknownGateway")
_REFUSALS: dict[str, type[Refused]] = {
    kind.__name__: kind
    for kind in (
        *(BadHash, BadSignature, EnrolmentRefused, Refused, SequenceConflict, UnknownTag),
        WireRefused,
    )
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the city answered: its body as JSON (None for 304) and its entity tag."""

    body: Any
    etag: str | None


class City:
    """The city's ingest behind one HTTP client; use it as a context manager."""

    def __init__(self, config: GatewayConfig, clock: ClockWatch) -> None:
        sink = config.sink
        address = config.database_url()
        if wrong := address_fault(address, sink.allow_plain):
            raise NotSet(f"the sink's address {wrong}")
        self._clock = clock
        self._timeout_s = sink.timeout_s
        self._client = httpx.Client(
            base_url=address.rstrip("/") + _PATH,
            verify=_tls(config),
            timeout=sink.timeout_s,
            follow_redirects=False,
            headers={"User-Agent": "millpond-gateway", "Accept": "application/json"},
        )

    def __enter__(self) -> "City":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def use_token(self, token: str) -> None:
        """Come with this token from now on."""
        self._client.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, etag: str | None = None) -> Answer:
        """Ask for something, or only whether it has changed; raises as post does."""
        headers = {} if etag is None else {"If-None-Match": etag}
        return self._ask("GET", path, None, headers)

    def post(self, path: str, content: bytes, media_type: str = "application/json") -> Answer:
        """Hand something over; raises SinkUnavailable, or the Refused that the city names."""
        return self._ask("POST", path, content, {"Content-Type": media_type})

    def _ask(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> Answer:
        asked_s = time.time()
        try:
            with self._client.stream(method, path, content=content, headers=headers) as answer:
                data = self._read(answer)
        except httpx.HTTPError as error:
            raise SinkUnavailable(_explained(error)) from error
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return Answer(None, answer.headers.get("etag"))
        if not answer.is_success:
            raise _failure(answer, data)
        body = _object(data)
        if body is None:
            raise SinkUnavailable(
                "what answers is not Millpond; see whether a proxy or a login page stands between"
            )
        self._see_clock(body, asked_s)
        return Answer(body, answer.headers.get("etag"))

    def _read(self, answer: httpx.Response) -> bytes:
        deadline_s = time.monotonic() + 10 * self._timeout_s
        data = bytearray()
        for piece in answer.iter_bytes():
            data += piece
            if len(data) > _MOST_ANSWER or time.monotonic() > deadline_s:
                raise SinkUnavailable("the answer does not come to an end")
        return bytes(data)

    def _see_clock(self, body: dict[str, Any], asked_s: float) -> None:
        try:
            there = datetime.fromisoformat(body["server_time"])
        except (KeyError, TypeError, ValueError):
            return
        if there.tzinfo is not None:
            self._clock.see(there, asked_s, time.time())


def _tls(config: GatewayConfig) -> ssl.SSLContext:
    sink, folder = config.sink, config.path.parent
    try:
        context = ssl.create_default_context(cafile=None if sink.ca is None else folder / sink.ca)
        if sink.certificate is not None and sink.private_key is not None:
            # The empty password keeps OpenSSL from asking for one at a terminal.
            context.load_cert_chain(folder / sink.certificate, folder / sink.private_key, b"")
    except (OSError, ValueError) as error:
        names = ", ".join(filter(None, (sink.ca, sink.certificate, sink.private_key)))
        raise NotSet(f"{names} of [sink] cannot be used as PEM files: {error}") from error
    return context


def _failure(answer: httpx.Response, data: bytes) -> Exception:
    """Return the error that an answer means."""
    problem = _object(data) or {}
    name = str(problem.get("type", "")).removeprefix(_TYPE)
    detail = str(problem.get("detail") or _shown(answer))[:_MOST_SHOWN]
    if name in _SHUT_OUT:
        return SinkUnavailable(detail, _SHUT_OUT_S)
    if name in _REFUSALS:
        return _REFUSALS[name](detail)
    if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        return Refused(f"too large for one request: {detail}")
    return SinkUnavailable(detail, _after_s(answer))


def _shown(answer: httpx.Response) -> str:
    if answer.is_redirect:
        return f"it sends elsewhere, to {answer.headers.get('location')}: set that as url"
    what = f"it answers {answer.status_code} {answer.reason_phrase}".strip()
    return f"{what}; see whether url leads to Millpond" if answer.is_client_error else what


def _after_s(answer: httpx.Response) -> float | None:
    """Return the seconds of Retry-After (RFC 9110, 10.2.3), at most an hour."""
    value = answer.headers.get("retry-after", "")
    if value.isascii() and value.isdecimal():
        return min(float(value), _MOST_AFTER_S)
    try:
        wait_s = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(wait_s, 0.0), _MOST_AFTER_S)


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _explained(error: httpx.HTTPError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"its certificate is not accepted: {cause.verify_message}; see its dates and "
                "name, ca in [sink], and the clock of this machine"
            )
        cause = cause.__cause__ or cause.__context__
    return f"{error}" or type(error).__name__
