"""E-mail over SMTP with STARTTLS and a login."""

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from typing import Literal

from api.pool.errors import PoolError
from api.pool.outbox import Letter, RefusedForGood, TryLater, Unreachable
from store.messages import Channel

Security = Literal["starttls", "tls", "none"]

_PERMANENT = 500
# What the email package raises for one thing and another that is no address.
_NO_ADDRESS = (ValueError, LookupError, AttributeError, MessageError)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The bureau's mail server; `ca` is who issued its certificate, by default the system's."""

    host: str
    sender: str
    port: int = 587
    security: Security = "starttls"
    user: str | None = None
    password: str | None = None
    ca: str | None = None
    timeout_s: float = 15.0


class Mail:
    """Sends letters over one connection a turn."""

    channel: Channel = "email"

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    def send(self, letters: Sequence[Letter]) -> list[PoolError | None]:
        """Send each letter; see `Sender`."""
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            return [Unreachable(f"the mail server: {_said(error)}")] * len(letters)
        try:
            return [self._sent(server, each) for each in letters]
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _connected(self) -> smtplib.SMTP:
        given = self._settings
        context = ssl.create_default_context(cafile=given.ca)
        if given.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                given.host, given.port, timeout=given.timeout_s, context=context
            )
        else:
            server = smtplib.SMTP(given.host, given.port, timeout=given.timeout_s)
        try:
            if given.security == "starttls":
                server.starttls(context=context)
            if given.user is not None:
                server.login(given.user, given.password or "")
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server

    def _sent(self, server: smtplib.SMTP, letter: Letter) -> PoolError | None:
        try:
            server.send_message(self._message(letter))
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()), (0, b""))
            return _outcome(code, said)
        except smtplib.SMTPResponseException as error:
            return _outcome(error.smtp_code, error.smtp_error)
        except _NO_ADDRESS as error:
            return RefusedForGood(f"this is no address: {error}")
        except (OSError, smtplib.SMTPException) as error:
            return Unreachable(f"the mail server: {_said(error)}")
        return None

    def _message(self, letter: Letter) -> EmailMessage:
        found = EmailMessage()
        found["From"] = self._settings.sender
        found["To"] = Address(addr_spec=letter.to)
        found["Subject"] = " ".join(letter.subject.split())
        found["Date"] = formatdate()
        # The same for each try, so that a reader's program knows a repetition.
        host = Address(addr_spec=self._settings.sender).domain
        found["Message-ID"] = f"<millpond-{letter.number}@{host}>"
        found["Auto-Submitted"] = "auto-generated"
        found.set_content(letter.text)
        return found


def _outcome(code: int, said: bytes | str) -> PoolError:
    kind = RefusedForGood if code >= _PERMANENT else TryLater
    return kind(f"the mail server answered {code} {_text(said)}".strip())


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error) or type(error).__name__


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
