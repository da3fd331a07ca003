"""The database's URL: the option before the environment, the password from its own file."""

from pathlib import Path

import pytest

from deploy.commands.common import database_url
from deploy.errors import DatabaseNotNamed, FileNotReadable


@pytest.fixture
def password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "password"
    file.write_text("p@ss/wörd\n", encoding="utf-8")
    monkeypatch.setenv("MILLPOND_DATABASE_URL", "postgresql://millpond:old@db:5433/millpond?a=b")
    monkeypatch.setenv("MILLPOND_DATABASE_PASSWORD_FILE", str(file))
    return file


def test_a_file_gives_the_password(password: Path) -> None:
    assert database_url(None) == ("postgresql://millpond:p%40ss%2Fw%C3%B6rd@db:5433/millpond?a=b")


def test_a_url_that_is_given_stays_as_it_is(password: Path) -> None:
    assert database_url("postgresql://other@there/one") == "postgresql://other@there/one"


def test_a_file_that_is_not_there_is_named(password: Path) -> None:
    password.unlink()
    with pytest.raises(FileNotReadable, match="MILLPOND_DATABASE_PASSWORD_FILE names it"):
        database_url(None)


def test_a_password_needs_a_user(password: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLPOND_DATABASE_URL", "postgresql:///millpond")
    with pytest.raises(DatabaseNotNamed, match="a URL that names a user"):
        database_url(None)
