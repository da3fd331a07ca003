"""The demo on a server of the user's instead of the private cluster."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import typer
from psycopg.conninfo import make_conninfo
from rich.console import Console

import store
import store.databases
from deploy.broker import EmbeddedBroker
from deploy.commands import demo as command
from deploy.demo import city
from deploy.demo.steps import Steps
from store.errors import StoreUnavailable
from tests.support.database import scratch_home


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for the demo's files."""
    folder = scratch_home("demo")
    yield folder
    EmbeddedBroker(folder / "broker").remove()
    folder.rmdir()


@pytest.fixture
def server(database_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server of the user's; what is made on it has another name than the user's own demo."""
    monkeypatch.setattr(city, "DATABASE", f"test_{secrets.token_hex(8)}")
    yield database_server
    with closing(store.connect(database_server)) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {city.DATABASE} WITH (FORCE)".encode())


def in_words(url: str) -> str:
    """Return the other form in which libpq takes an address."""
    return make_conninfo(make_conninfo(url), connect_timeout=60)


def test_the_demo_makes_its_database_on_the_users_server(home: Path, server: str) -> None:
    steps = Steps(Console(quiet=True))
    with ExitStack() as opened:
        url, _ = city.services(opened, steps, home, server)
        with closing(store.connect(url)) as conn, closing(store.connect(server)) as there:
            assert conn.info.dbname == city.DATABASE
            assert (conn.info.host, conn.info.port) == (there.info.host, there.info.port)
            assert conn.execute("SELECT count(*) FROM telemetry.batch").fetchone() == (0,)
    assert sorted(path.name for path in home.iterdir()) == ["broker"]


def test_either_form_of_an_address_leads_to_the_new_database(server: str) -> None:
    for address in (server, in_words(server)):
        url = store.databases.recreate(address, city.DATABASE)
        with closing(store.connect(url)) as conn:
            assert conn.info.dbname == city.DATABASE


def test_a_server_that_is_away_is_told_at_once(home: Path) -> None:
    away, steps = "postgresql://nobody@127.0.0.1:1/none", Steps(Console(quiet=True))
    with ExitStack() as opened, pytest.raises(StoreUnavailable, match="refused"):
        city.services(opened, steps, home, away)


@pytest.mark.parametrize(
    ("said", "meant"), [("", None), ("postgresql://db.example/x", "postgresql://db.example/x")]
)
def test_the_variable_replaces_the_private_cluster(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, meant: str | None
) -> None:
    asked = []

    def run(*_: object, server_url: str | None, **__: object) -> int:
        asked.append(server_url)
        return 0

    monkeypatch.setattr(city, "run", run)
    monkeypatch.setenv("MILLPOND_DATABASE_URL", said)
    with pytest.raises(typer.Exit):
        command.demo(home=tmp_path)
    assert asked == [meant]
