"""SMS by an HTTP gateway: a POST with a JSON body for each message."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from api.pool.errors import PoolError
from api.pool.outbox import Letter, RefusedForGood, TryLater, Unreachable
from store.messages import Channel

_LONGEST_TEXT = 500
_MOST_ANSWER = 65_536
_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """The gateway that the bureau uses; the token goes in an Authorization header."""

    url: str
    token: str | None = None
    timeout_s: float = 10.0


class HttpSms:
    """Sends `{"number", "to", "text"}`; another gateway's form is another class with `send`.

    `number` is the same for each try of a message, so that the gateway can tell a repetition.
    """

    channel: Channel = "sms"

    def __init__(self, settings: SmsSettings) -> None:
        self._settings = settings

    def send(self, letters: Sequence[Letter]) -> list[PoolError | None]:
        """Send each letter; see `Sender`."""
        given = self._settings
        headers = {"Authorization": f"Bearer {given.token}"} if given.token else {}
        found: list[PoolError | None] = []
        with httpx.Client(timeout=given.timeout_s, headers=headers) as client:
            for each in letters:
                if found and isinstance(found[-1], Unreachable):
                    found.append(found[-1])
                else:
                    found.append(self._sent(client, each))
        return found

    def _sent(self, client: httpx.Client, letter: Letter) -> PoolError | None:
        text = letter.text.split("\n", 1)[0][:_LONGEST_TEXT]
        body = {"number": letter.number, "to": letter.to, "text": text}
        try:
            with client.stream("POST", self._settings.url, json=body) as answer:
                said = _beginning(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Unreachable(f"the SMS gateway: {error or type(error).__name__}")
        if answer.is_success:
            return None
        why = f"the SMS gateway answered {answer.status_code} {said}".strip()
        if answer.is_client_error and answer.status_code not in _AGAIN:
            return RefusedForGood(why)
        return TryLater(why)


def _beginning(answer: httpx.Response) -> str:
    found = b""
    with suppress(httpx.HTTPError):
        for chunk in answer.iter_bytes(_MOST_ANSWER):
            found = chunk
            break
    return " ".join(found[:200].decode("utf-8", "replace").split())
