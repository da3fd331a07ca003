"""How people are told: the file that says so, and a turn on its schedule."""

from pathlib import Path

import pytest

from api.pool import notices
from api.pool.errors import BadTable
from api.pool.mail import Mail, MailSettings
from api.pool.sms import HttpSms
from tests.api.pool.pooled import Pooled
from tests.api.pool.test_outbox import Inbox, mail_server, pending, reached
from tests.deploy.command import millpond
from tests.support.ports import free_port
from tests.support.waiting import wait_for

MAIL = '[mail]\nhost = "127.0.0.1"\nsender = "pool@example.invalid"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "notices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_names_the_ways_and_its_secrets_lie_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n", encoding="utf-8")
    text = MAIL + 'user = "pool"\npassword_file = "password"\n'
    text += '[sms]\nurl = "https://sms.example.invalid/send"\ntoken_file = "password"\n'
    mail, sms = notices.load(written(tmp_path, text))
    assert isinstance(mail, Mail)
    assert isinstance(sms, HttpSms)
    assert mail._settings.password == sms._settings.token == "secret"
    assert mail._settings.security == "starttls"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[pigeon]\n", "no table pigeon"),
        ("mail = 1\n", "must be a table"),
        ('[mail]\nhost = "127.0.0.1"\n', "lacks sender"),
        (MAIL + 'password = "secret"\n', "password_file"),
        (MAIL + 'password_file = "nowhere"\n', "nowhere"),
        (MAIL + "port = 0\n", "from 1 to 65535"),
        (MAIL + "host2 = 1\n", "no key host2"),
        (MAIL + 'security = "ssl"\n', "starttls, tls, none"),
        ('[mail]\nhost = "h"\nsender = "nobody"\n', "e-mail address"),
        ('[mail]\nhost = "h"\nsender = "a@b"\nuser = "u"\nsecurity = "none"\n', "starttls or tls"),
        ('[sms]\nurl = "http://sms.example.invalid/"\n', "https://"),
        ("[mail\n", "notices.toml"),
    ],
)
def test_a_file_that_says_nonsense_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(BadTable, match=said):
        notices.load(written(tmp_path, text))


def test_the_schedule_follows_events_and_sends_letters(pooled: Pooled, database_url: str) -> None:
    reached(pooled)
    pooled.warn()
    inbox, port = Inbox(), free_port()
    mail = Mail(MailSettings("127.0.0.1", "pool@example.invalid", port, "none"))
    with mail_server(port, inbox), notices.scheduled(database_url, [mail]):
        wait_for(lambda: len(inbox.letters) == 2, "both letters")
    assert pending(pooled) == []


def test_a_turn_that_fails_keeps_the_next_one_from_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notices.run_by_url("postgresql://127.0.0.1:1/none", ())
    assert "not up to date" in caplog.text


def test_a_turn_and_the_outbox_by_hand(
    pooled: Pooled, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reached(pooled)
    pooled.warn()
    text = MAIL + f'port = {free_port()}\nsecurity = "none"\ntimeout_s = 20\n'
    words = ("--database", database_url)
    said = millpond(capsys, "pool", "todos", "--notices", written(tmp_path, text), *words)
    assert said.code == 0
    assert "2 events followed: 3 opened" in said.out
    assert "2 to try again" in said.out
    listed = millpond(capsys, "pool", "outbox", *words)
    assert "f***@example.invalid" in listed.out
    assert "Connection refused" in listed.out
    assert "0 will be tried again" in millpond(capsys, "pool", "outbox", "--retry", *words).out
