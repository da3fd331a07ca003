"""Messages by e-mail and SMS, tried against a real mail server and a real HTTP gateway."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from api.pool import outbox, todos
from api.pool.mail import Mail, MailSettings
from api.pool.outbox import WAITS, Sender, Sent
from api.pool.sms import HttpSms, SmsSettings
from store import messages
from store.errors import StoreError
from store.messages import Contact, Pending
from tests.api.pool.pooled import Pooled
from tests.support.certificates import Authority
from tests.support.ports import free_port

EMAIL, PHONE = "filler@example.invalid", "10000000001"
# Each is refused by the email package with another kind of error.
NO_ADDRESSES = ("no address", "filler@", "@example.invalid", "filler@example.", "filler@[")
USER, PASSWORD = "pool", "sample-password"


class Inbox:
    """Keeps what arrives, unless it is told how to answer."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.to: list[str] = []
        self.answer: str | None = None
        self.refused: set[str] = set()

    async def handle_RCPT(  # noqa: N802 - the name that the server looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer is not None:
            return self.answer
        assert isinstance(envelope.content, bytes)
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.letters.append(found)
        self.to += envelope.rcpt_tos
        return "250 kept"


@contextmanager
def mail_server(port: int, inbox: Inbox, **given: Any) -> Iterator[None]:
    """A real SMTP server on a port of loopback."""
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **given)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


@contextmanager
def gateway(status: int) -> Iterator[tuple[str, list[tuple[str | None, Any]]]]:
    """A real HTTP server that answers every POST with a status; yields what was posted."""
    taken: list[tuple[str | None, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.headers["Authorization"], json.loads(body)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"no balance" if status >= 400 else b"{}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="gateway")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/send", taken
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture
def tls_pair(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """What the server speaks TLS with, and who vouches for it."""
    authority = Authority(tmp_path)
    pair = authority.issue("mail")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    return context, str(authority.certificate)


def reached(pooled: Pooled, *, sms: bool = False, email: str = EMAIL) -> None:
    """Let the enterprise's filler have addresses."""
    actor, _ = pooled.person("ent_filler")
    assert actor.account_id is not None
    pooled.conn.execute(
        "UPDATE auth.account SET email = %s WHERE account_id = %s", (email, actor.account_id)
    )
    with pooled.as_("ent_filler"):
        wanted = Contact(PHONE, wants_email=True, wants_sms=sms)
        messages.save_contact(pooled.conn, actor.account_id, wanted)


def warned(pooled: Pooled, channels: tuple[str, ...] = ("email", "sms")) -> None:
    """Let the machine warn, so that the filler has a new to-do and a message of the step."""
    pooled.warn()
    todos.turn(pooled.conn, now=pooled.now, channels=channels)


def sent(pooled: Pooled, *senders: Sender) -> Sent:
    return outbox.send(pooled.conn, senders, now=pooled.now)


def pending(pooled: Pooled) -> list[Pending]:
    return messages.pending(pooled.conn)


def test_a_letter_arrives_in_chinese_and_english(pooled: Pooled) -> None:
    reached(pooled)
    warned(pooled)
    inbox, port = Inbox(), free_port()
    with mail_server(port, inbox):
        mail = Mail(MailSettings("127.0.0.1", "pool@example.invalid", port, "none"))
        assert sent(pooled, mail) == Sent(sent=2)
        assert sent(pooled, mail) == Sent()
    assert inbox.to == [EMAIL, EMAIL]
    new, told = inbox.letters
    assert "新待办“消除预警原因并说明情况：数据完整率 71 %”" in str(new["Subject"])
    assert "由“在库培育”转为“预警关注”" in told.get_content()
    assert "Warn, from “In the pool” to “Warned”" in told.get_content()
    assert new["Message-ID"] != told["Message-ID"]
    with pooled.as_("ent_filler") as actor:
        found = messages.listed(pooled.conn, actor.account_id or 0)
    assert [each.elsewhere for each in found] == [{"email": "sent"}] * 2


def test_the_messages_of_a_day_come_in_one_letter_to_whoever_wants_it_so(pooled: Pooled) -> None:
    reached(pooled)
    with pooled.as_("ent_filler") as actor:
        wanted = Contact(PHONE, wants_email=True, wants_digest=True)
        messages.save_contact(pooled.conn, actor.account_id or 0, wanted)
        assert messages.contact(pooled.conn, actor.account_id or 0) == wanted
    warned(pooled, ("email",))
    inbox, port = Inbox(), free_port()
    with mail_server(port, inbox):
        mail = Mail(MailSettings("127.0.0.1", "pool@example.invalid", port, "none"))
        pooled.now = pooled.now.replace(hour=23, minute=59)
        assert sent(pooled, mail) == Sent(), "it is 7:59 in the city"
        pooled.later(minutes=1)
        assert sent(pooled, mail) == Sent(sent=2)
        assert sent(pooled, mail) == Sent()
    (letter,) = inbox.letters
    assert str(letter["Subject"]) == "智能工厂培育库：2 条消息"
    text = letter.get_content()
    assert "1. 示例工厂：新待办“消除预警原因并说明情况：数据完整率 71 %”" in text
    assert "2. 示例工厂：自动预警，由“在库培育”转为“预警关注”" in text
    assert "2. Sample plant: Warn, from “In the pool” to “Warned”" in text


def test_a_login_over_starttls_is_demanded_and_kept(
    pooled: Pooled, tls_pair: tuple[ssl.SSLContext, str]
) -> None:
    reached(pooled)
    warned(pooled)
    context, ca = tls_pair
    inbox, port = Inbox(), free_port()

    def authenticated(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        right = LoginPassword(USER.encode(), PASSWORD.encode())
        # What is not handled the server itself refuses.
        return AuthResult(success=data == right, handled=data == right)

    given = {
        "tls_context": context, "require_starttls": True, "authenticator": authenticated,
        "auth_required": True,
    }  # fmt: skip
    with mail_server(port, inbox, **given):
        settings = MailSettings(
            "127.0.0.1", "pool@example.invalid", port, "starttls", USER, "wrong", ca
        )
        assert sent(pooled, Mail(settings)) == Sent(waiting=2)
        assert "535" in (pending(pooled)[0].error or "")
        pooled.later(minutes=2)
        right = MailSettings(
            "127.0.0.1", "pool@example.invalid", port, "starttls", USER, PASSWORD, ca
        )
        assert sent(pooled, Mail(right)) == Sent(sent=2)
        # A certificate that nobody vouches for is not believed.
        assert Mail(
            MailSettings("127.0.0.1", "pool@example.invalid", port, "starttls", USER, PASSWORD)
        ).send([outbox.Letter(1, EMAIL, "示例", "示例")])
    assert len(inbox.letters) == 2


def test_a_server_that_is_down_is_tried_again_later_and_in_the_end_no_more(pooled: Pooled) -> None:
    reached(pooled)
    warned(pooled)
    inbox, port = Inbox(), free_port()
    mail = Mail(MailSettings("127.0.0.1", "pool@example.invalid", port, "none", timeout_s=20))
    assert sent(pooled, mail) == Sent(waiting=2)
    assert sent(pooled, mail) == Sent(), "the wait has not passed"
    pooled.later(minutes=1)
    with mail_server(port, inbox):
        assert sent(pooled, mail) == Sent(sent=2)
    reached(pooled)
    pooled.end_warnings()
    pooled.move("county_officer", "clear_warning")
    todos.turn(pooled.conn, now=pooled.now, channels=("email",))
    for wait in WAITS:
        assert sent(pooled, mail) == Sent(waiting=1)
        assert sent(pooled, mail) == Sent()
        pooled.now += wait
    assert sent(pooled, mail) == Sent(failed=1)
    (failed,) = pending(pooled)
    assert (failed.state, failed.attempts) == ("failed", len(WAITS) + 1)
    assert (failed.error or "").startswith("the mail server: ")
    pooled.later(days=400)
    assert sent(pooled, mail) == Sent()
    assert messages.retry(pooled.conn, pooled.now) == 1
    with mail_server(port, inbox):
        assert sent(pooled, mail) == Sent(sent=1)
    assert pending(pooled) == []


def test_a_server_that_refuses_for_now_is_tried_again_one_that_refuses_for_good_is_not(
    pooled: Pooled,
) -> None:
    reached(pooled)
    warned(pooled)
    inbox, port = Inbox(), free_port()
    mail = Mail(MailSettings("127.0.0.1", "pool@example.invalid", port, "none"))
    with mail_server(port, inbox):
        inbox.answer = "451 greylisted, come back"
        assert sent(pooled, mail) == Sent(waiting=2)
        pooled.later(minutes=1)
        inbox.refused.add(EMAIL)
        assert sent(pooled, mail) == Sent(failed=2)
    first = pending(pooled)[0]
    assert (first.state, first.error) == (
        "failed",
        "the mail server answered 550 no such user here",
    )
    assert first.address == "f***@example.invalid", "addresses are masked in lists"


def test_one_bad_address_keeps_no_other_letter_back() -> None:
    inbox, port = Inbox(), free_port()
    inbox.refused.add("gone@example.invalid")
    letters = [
        outbox.Letter(number, to, "示例\r\nBcc: x@example.invalid", "示例")
        for number, to in enumerate((*NO_ADDRESSES, "gone@example.invalid", EMAIL))
    ]
    with mail_server(port, inbox):
        outcomes = Mail(MailSettings("127.0.0.1", "pool@example.invalid", port, "none")).send(
            letters
        )
    assert [type(each).__name__ for each in outcomes] == [
        *["RefusedForGood"] * (len(NO_ADDRESSES) + 1), "NoneType",
    ]  # fmt: skip
    assert inbox.to == [EMAIL], "no header is put in by a text"


def test_who_wants_no_letters_or_has_no_address_gets_none(pooled: Pooled) -> None:
    actor, _ = pooled.person("ent_filler")
    warned(pooled)
    assert pending(pooled) == []
    assert actor.account_id is not None
    pooled.end_warnings()
    reached(pooled)
    with pooled.as_("ent_filler"):
        messages.save_contact(pooled.conn, actor.account_id, Contact(wants_email=False))
    pooled.move("county_officer", "clear_warning")
    todos.turn(pooled.conn, now=pooled.now, channels=("email",))
    assert pending(pooled) == []


def test_nothing_waits_for_a_channel_that_is_not_set_up(pooled: Pooled) -> None:
    reached(pooled)
    warned(pooled, channels=())
    assert pending(pooled) == []


def test_the_queue_is_bounded_and_what_is_beyond_fails_for_all_to_see(
    pooled: Pooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(todos, "MOST_QUEUED", 1)
    reached(pooled)
    warned(pooled)
    assert sorted((each.state, each.error) for each in pending(pooled)) == [
        ("failed", "the queue is full"), ("queued", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, Sent(sent=1)), (503, Sent(waiting=1)), (429, Sent(waiting=1)), (403, Sent(failed=1))],
)
def test_a_deadline_that_is_near_is_told_by_sms(
    pooled: Pooled, status: int, expected: Sent
) -> None:
    reached(pooled, sms=True)
    warned(pooled, channels=("sms",))
    due = pooled.membership().deadline
    assert due is not None
    pooled.later(days=(due - pooled.today).days - 1)
    todos.turn(pooled.conn, now=pooled.now, channels=("sms",))
    with gateway(status) as (url, taken):
        assert sent(pooled, HttpSms(SmsSettings(url, "secret"))) == expected
    ((authorization, body),) = taken
    assert authorization == "Bearer secret"
    assert body["to"] == PHONE
    assert "即将到期" in body["text"]
    if status >= 400:
        (found,) = pending(pooled)
        assert found.error == f"the SMS gateway answered {status} no balance"
        assert found.address == "***01"


def test_a_gateway_that_is_down_costs_one_try_for_all() -> None:
    letters = [outbox.Letter(number, PHONE, "示例", "示例") for number in range(3)]
    found = HttpSms(SmsSettings(f"http://127.0.0.1:{free_port()}/", timeout_s=20)).send(letters)
    assert [type(each).__name__ for each in found] == ["Unreachable"] * 3
    assert found[0] is found[1] is found[2]


def test_a_number_that_is_none_is_refused_and_no_other_person_sees_it(pooled: Pooled) -> None:
    reached(pooled, sms=True)
    actor, _ = pooled.person("ent_filler")
    with pooled.as_("ent_approver") as other:
        assert messages.contact(pooled.conn, actor.account_id or 0) == Contact()
    with pytest.raises(StoreError), pooled.as_("ent_approver"):
        messages.save_contact(pooled.conn, actor.account_id or 0, Contact("10000000002"))
    with pytest.raises(StoreError), pooled.as_("ent_approver"):
        messages.save_contact(pooled.conn, other.account_id or 0, Contact("not a number"))


def test_what_was_taken_and_never_ended_comes_again_after_its_lease(pooled: Pooled) -> None:
    reached(pooled)
    warned(pooled)
    lease = pooled.now + timedelta(minutes=15)
    assert len(messages.claim(pooled.conn, "email", pooled.now, lease, most=9)) == 2
    assert messages.claim(pooled.conn, "email", pooled.now, lease, most=9) == []
    assert len(messages.claim(pooled.conn, "email", lease, lease, most=9)) == 2


def test_the_receipt_is_the_person_s_own_and_its_first(pooled: Pooled) -> None:
    warned_person, _ = pooled.person("ent_filler")
    warned(pooled)
    with pooled.as_("ent_filler") as actor:
        number = messages.listed(pooled.conn, actor.account_id or 0)[0].message_id
    with pooled.as_("ent_approver") as other:
        assert messages.read(pooled.conn, other.account_id or 0, number, pooled.now) is None
        assert messages.read(pooled.conn, actor.account_id or 0, number, pooled.now) is None
    first = pooled.now
    with pooled.as_("ent_filler"):
        assert messages.unread(pooled.conn, warned_person.account_id or 0) == 2
        assert messages.read(pooled.conn, actor.account_id or 0, number, first) == first
        later = first + timedelta(hours=1)
        assert messages.read(pooled.conn, actor.account_id or 0, number, later) == first
        assert messages.unread(pooled.conn, actor.account_id or 0) == 1
