"""The way to the city: the gateway sends its batches over HTTPS, and nothing ever calls it."""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collectors.config.file import GatewayConfig
from collectors.errors import NotSet, SinkUnavailable
from collectors.sink.city import City
from collectors.sink.clock import ClockWatch, clock_path
from collectors.sink.token import age_s, read_token, token_path, write_token
from collectors.sink.transport import Link, Notice
from store import wire
from store.batches import Batch, Receipt
from store.errors import Refused

_log = logging.getLogger("collectors.sink")

_HASH = re.compile("[0-9a-f]{64}")
_RENEW_AFTER_S = 30 * 86_400.0
_MOST_NOTICE_BYTES = 512 * 1024
_MOST_SOURCE, _MOST_REASON, _MOST_PAYLOAD = 200, 4000, 65_536


class HttpsTransport:
    """Connects to the ingest of a city, for one gateway; clock says how the two clocks differ."""

    place = "the city"

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        self._token_path = token_path(config)
        self._tags = _KnownTags()
        self.clock = ClockWatch(clock_path(config))
        # What cannot be used is told at the start, not at the first batch.
        with City(config, self.clock):
            pass

    @contextmanager
    def connect(self) -> Iterator[Link]:
        """Hold one HTTP client for the length of the block; raises SinkUnavailable."""
        try:
            city = City(self._config, self.clock)
        except NotSet as error:
            raise SinkUnavailable(str(error)) from error
        with city:
            self._show_token(city)
            city.get("time")
            yield _CityLink(city, self._tags)

    def _show_token(self, city: City) -> None:
        path = self._token_path
        try:
            token = read_token(path)
        except NotSet as error:
            raise SinkUnavailable(str(error)) from error
        if token is None and self._config.sink.certificate is None:
            raise SinkUnavailable(
                f"there is no token at {path}: enrol {self._config.gateway.id} "
                f"(`millpond collector enrol {self._config.path.name} --code CODE`, and "
                "`--for-import` for the gateway of imports)"
            )
        if token is not None:
            city.use_token(token)
            if age_s(path) > _RENEW_AFTER_S:
                _renew(city, path)


def _renew(city: City, path: Path) -> None:
    """Change the token; until the new one is kept and used, the city takes the old one."""
    token = city.post("tokens", b"").body.get("token")
    if not isinstance(token, str):
        raise SinkUnavailable("the answer holds no token")
    try:
        write_token(path, token)
    except NotSet as error:
        _log.warning("the token is not renewed: %s", error)
    else:
        city.use_token(token)


class _KnownTags:
    """The tags as they last came, so that an unchanged plan is not sent again and again."""

    def __init__(self) -> None:
        self.etag: str | None = None
        self.tags: dict[str, int] = {}


class _CityLink:
    def __init__(self, city: City, known: _KnownTags) -> None:
        self._city = city
        self._known = known

    def tags(self) -> dict[str, int]:
        answer = self._city.get("tags", self._known.etag)
        if answer.body is not None:
            tags = answer.body.get("tags")
            if not isinstance(tags, dict) or not all(type(one) is int for one in tags.values()):
                raise SinkUnavailable("the answer holds no tags")
            self._known.tags, self._known.etag = tags, answer.etag
        return self._known.tags

    def last(self) -> tuple[int, bytes] | None:
        body = self._city.get("last").body
        match body:
            case {"seq": None}:
                return None
            case {"seq": int(seq), "sha256": str(sha256)} if _HASH.fullmatch(sha256):
                return seq, bytes.fromhex(sha256)
        raise SinkUnavailable("the answer does not say where the chain stands")

    def accept(self, batch: Batch) -> Receipt:
        try:
            content = wire.encode(batch)
        except ValueError as error:
            raise Refused(f"{batch.name}: a record has no JSON form: {error}") from error
        if len(content) > wire.MOST_BYTES:
            raise Refused(f"{batch.name} has {len(content)} bytes, more than one request may have")
        body = self._city.post("batches", content, wire.MEDIA_TYPE).body
        # Only the very batch that was sent may leave the spool.
        if (body.get("seq"), body.get("sha256")) != (batch.seq, batch.sha256.hex()):
            raise SinkUnavailable(f"the answer does not acknowledge {batch.name}")
        return _receipt(body)

    def quarantine(self, notices: Sequence[Notice]) -> None:
        entries = [json.dumps(_entry(one), ensure_ascii=False) for one in notices]
        for group in _groups(entries):
            self._city.post("quarantine", f'{{"entries": [{", ".join(group)}]}}'.encode())


def _receipt(body: dict[str, Any]) -> Receipt:
    match body:
        case {
            "batch_id": int(batch_id),
            "outcome": "accepted" | "known" as outcome,
            "absorbed": int(absorbed),
            "conflicts": int(conflicts),
        }:
            return Receipt(batch_id, outcome, absorbed, conflicts)
    raise SinkUnavailable("the answer is no acknowledgement")


def _entry(notice: Notice) -> dict[str, str]:
    return {
        "source": _text(notice.source, _MOST_SOURCE),
        "reason": _text(notice.reason, _MOST_REASON),
        "payload": _text(notice.payload, _MOST_PAYLOAD),
    }


def _text(text: str, most: int) -> str:
    """Return what of a text can be sent: its beginning, without halves of characters."""
    return text[:most].encode("utf-8", "replace").decode()


def _groups(entries: list[str]) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for entry in entries:
        size += len(entry.encode())
        if group and size > _MOST_NOTICE_BYTES:
            yield group
            group, size = [], len(entry.encode())
        group.append(entry)
    if group:
        yield group
