"""To-dos and messages on their schedule: a turn a minute, and by which ways people are told."""

import logging
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from apscheduler.schedulers.background import BackgroundScheduler

import store
from api.pool import outbox, todos
from api.pool.errors import BadTable
from api.pool.mail import Mail, MailSettings
from api.pool.outbox import Sender, Sent
from api.pool.sms import HttpSms, SmsSettings
from api.pool.todos import Turn
from store import Connection

log = logging.getLogger(__name__)

EVERY_S = 60

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_SECURITY = ("starttls", "tls", "none")


def once(conn: Connection, senders: Sequence[Sender], now: datetime) -> tuple[Turn, Sent]:
    """Follow what happened, recall and raise what is due, and send what waits."""
    turn = todos.turn(conn, now=now, channels={each.channel for each in senders})
    return turn, outbox.send(conn, senders, now=now)


@contextmanager
def scheduled(url: str, senders: Sequence[Sender] = (), every_s: int = EVERY_S) -> Iterator[None]:
    """Take a turn every minute while the block lasts, never two at once."""
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        run_by_url, "interval", (url, senders), seconds=every_s,
        max_instances=1, coalesce=True, next_run_time=datetime.now(UTC),
    )  # fmt: skip
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)


def run_by_url(url: str, senders: Sequence[Sender]) -> None:
    """Take a turn now; a failure is logged, and the next turn does what this one did not."""
    try:
        with closing(store.connect(url)) as conn:
            _, sent = once(conn, senders, datetime.now(UTC))
        if sent.failed:
            log.warning("%s messages failed for good; see `millpond pool outbox`", sent.failed)
    except Exception as error:  # a fault of ours must not keep the next turn from running
        log.warning("to-dos and messages are not up to date: %s", error)


def load(path: Path) -> tuple[Sender, ...]:
    """Read how people are told, from a TOML file with the tables [mail] and [sms].

    Raises BadTable with the key and what to write there.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadTable(f"{path}: {error}") from error
    if unknown := sorted(given.keys() - {"mail", "sms"}):
        raise BadTable(f"{path}: there is no table {unknown[0]}; write [mail] or [sms]")
    found: list[Sender] = []
    if "mail" in given:
        table = _table(path, "mail", given["mail"], MailSettings, "password")
        found.append(Mail(_mail(path, MailSettings(**table))))
    if "sms" in given:
        table = _table(path, "sms", given["sms"], SmsSettings, "token")
        found.append(HttpSms(_sms(path, SmsSettings(**table))))
    return tuple(found)


def _table(path: Path, name: str, given: Any, kind: type, secret: str) -> dict[str, Any]:
    place = f"{path}: [{name}]"
    if not isinstance(given, Mapping):
        raise BadTable(f"{place} must be a table")
    table = dict(given)
    if secret in table:
        raise BadTable(f"{place}: write {secret}_file and put the secret into that file")
    file = table.pop(f"{secret}_file", None)
    if file is not None:
        try:
            table[secret] = (path.parent / str(file)).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadTable(f"{place} {secret}_file: {error}") from error
    forms = {each.name: str(each.type) for each in fields(kind)}
    if unknown := sorted(table.keys() - forms.keys()):
        raise BadTable(f"{place} has no key {unknown[0]}; it has {', '.join(sorted(forms))}")
    for key in sorted(table):
        _check(place, key, table[key])
    needed = {"mail": ("host", "sender"), "sms": ("url",)}[name]
    if missing := [key for key in needed if not table.get(key)]:
        raise BadTable(f"{place} lacks {missing[0]}")
    return table


def _check(place: str, key: str, value: Any) -> None:
    numbers = {"port": (1, 65535), "timeout_s": (1, 120)}
    if key in numbers:
        least, most = numbers[key]
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if not right or not least <= value <= most:
            raise BadTable(f"{place} {key} must be a number from {least} to {most}")
    elif not isinstance(value, str):
        raise BadTable(f"{place} {key} must be a text")


def _mail(path: Path, given: MailSettings) -> MailSettings:
    place = f"{path}: [mail]"
    if given.security not in _SECURITY:
        raise BadTable(f"{place} security must be one of {', '.join(_SECURITY)}")
    if given.user is not None and given.security == "none" and given.host not in _LOOPBACK:
        raise BadTable(f"{place}: a password is sent over starttls or tls only")
    try:
        Address(addr_spec=given.sender)
    except (ValueError, IndexError, MessageError) as error:
        raise BadTable(f"{place} sender must be an e-mail address") from error
    return given


def _sms(path: Path, given: SmsSettings) -> SmsSettings:
    parts = urlsplit(given.url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise BadTable(f"{path}: [sms] url must begin with https://")
    return given
