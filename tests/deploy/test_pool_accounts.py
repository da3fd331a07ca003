"""`millpond pool admin`, `token` and `audit-verify`."""

import json

import httpx
import pytest

import store
from store import accounts, audit
from store.acting import SYSTEM, key_of
from store.sessions import find_token
from tests.api.conftest import served
from tests.deploy.command import Said, millpond


@pytest.fixture
def admin(database_url: str, capsys: pytest.CaptureFixture[str]) -> "Admin":
    return Admin(database_url, capsys)


class Admin:
    """Runs `millpond pool admin` on the test's database."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._url = url
        self._capsys = capsys

    def __call__(self, *words: str) -> Said:
        return millpond(self._capsys, "pool", "admin", *words, "--database", self._url)


def test_the_first_administrators_are_three_people(admin: Admin, db: store.Connection) -> None:
    for office, login, name in (
        ("system", "sys1", "示例甲"),
        ("security", "sec1", "示例乙"),
        ("audit", "aud1", "示例丙"),
    ):
        assert admin(office, login, name).code == 0
    roles = {each.login: each.role for each in accounts.accounts(db)}
    assert roles == {"sys1": "sysadmin", "sec1": "secadmin", "aud1": "auditor"}
    assert all(each.must_change for each in accounts.accounts(db))


def test_one_person_does_not_hold_two_offices(admin: Admin, db: store.Connection) -> None:
    admin("system", "sys1", "示例甲")
    assert "are three people" in admin("security", "sec1", "示例甲").line
    assert "--another" in admin("system", "sys2", "示例丁").line
    assert admin("system", "sys2", "示例丁", "--another").code == 0
    assert [each.login for each in accounts.accounts(db)] == ["sys1", "sys2"]


def test_the_password_that_is_printed_opens_the_first_log_in(
    admin: Admin, database_url: str
) -> None:
    said = admin("security", "Sec1", "示例乙")
    login, password = (line.split()[1] for line in said.out.splitlines()[:2])
    with served(database_url) as address:
        answer = httpx.post(
            f"{address}/login", data={"login": login, "password": password}, timeout=30
        )
    assert answer.headers["location"] == "/login/password"


def test_a_token_is_printed_once(
    admin: Admin,
    database_url: str,
    db: store.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    admin("audit", "aud1", "示例丙")
    words = ("pool", "token", "aud1", "归档", "--database", database_url, "--permission")
    said = millpond(capsys, *words, "audit:read")
    assert find_token(db, key_of(said.out.strip())) is not None
    assert "does not have figures:read" in millpond(capsys, *words, "figures:read").line
    nobody = millpond(capsys, "pool", "token", "nobody", *words[3:], "audit:read")
    assert nobody.line == "millpond: there is no account nobody"


def test_the_audit_is_verified_and_its_end_can_be_noted_down(
    db: store.Connection, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        audit.note(db, SYSTEM, "tried", kind="sample", key=number)
    words = ("pool", "audit-verify", "--database", database_url)
    said = millpond(capsys, *words)
    assert said.out.startswith("3 entries hold; the last is 3:")
    noted = said.out.split()[-1]
    assert millpond(capsys, *words, "--expect", noted).code == 0
    assert json.loads(millpond(capsys, *words, "--json").out)["last_id"] == 3
    db.execute("ALTER TABLE audit.entry DISABLE TRIGGER keep")
    db.execute("DELETE FROM audit.entry WHERE entry_id = 3")
    assert millpond(capsys, *words).code == 0
    assert "cut off" in millpond(capsys, *words, "--expect", noted).line
    db.execute("UPDATE audit.entry SET actor = 'x' WHERE entry_id = 2")
    broken = millpond(capsys, *words)
    assert (broken.code, "breaks at entry 2" in broken.line) == (1, True)
    assert millpond(capsys, *words, "--expect", "nonsense").code == 2
