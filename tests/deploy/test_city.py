"""A gateway in the plant and the city as two programs, over TLS: let in, cut off, shut out."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

import store
from tests.collectors.plant import FACTORY, GATEWAY, prepare_database
from tests.collectors.servers import loop_thread, modbus_server
from tests.deploy.command import Said, millpond
from tests.deploy.demo_run import MILLPOND, Watched, watched
from tests.support.certificates import Authority, Pair
from tests.support.ports import free_port
from tests.support.waiting import wait_for

DEADLINE_S = 60.0

FILE = """\
[gateway]
id = "{gateway}"
key = "gateway.key"

[spool]
path = "spool.db"

[sink]
kind = "https"
url = "https://localhost:{port}"
ca = "test-CA.pem"
batch_seconds = 0.2

[[source]]
name = "meters"
kind = "modbus"
host = "127.0.0.1"
port = {meter}
poll_s = 0.1
heartbeat_s = 1
  [[source.tag]]
  tag = "EM01.energy"
  address = 1234
  type = "uint16"
"""


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """The city's certificate; that of its authority lies beside."""
    return Authority(tmp_path).issue("city")


@contextmanager
def city(url: str, port: int, pair: Pair, output: Path) -> Iterator[Watched]:
    """Run the city until the end of the block."""
    words = ["api", "serve", "--port", str(port), "--database", url]
    words += ["--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key)]
    with watched([str(MILLPOND), *words], output) as running:
        wait_for(lambda: _answers(port), "the city", DEADLINE_S)
        yield running


def _answers(port: int) -> bool:
    try:
        # Its certificate is judged by the gateway under test, not here.
        return (
            httpx.get(f"https://127.0.0.1:{port}/healthz", verify=False, timeout=30).status_code
            == 200
        )
    except httpx.TransportError:
        return False


def sequence(url: str) -> list[int]:
    with closing(store.connect(url)) as conn:
        found = conn.execute("SELECT seq FROM telemetry.batch ORDER BY seq").fetchall()
    return [seq for (seq,) in found]


def test_a_gateway_reports_to_the_city_until_it_is_revoked(
    tmp_path: Path, database_url: str, pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_database(database_url, ["EM01.energy"])
    port, meter = free_port(), free_port()
    file = tmp_path / "gateway.toml"
    file.write_text(FILE.format(gateway=GATEWAY, port=port, meter=meter), "utf-8")
    outputs = [tmp_path / f"output{number}" for number in range(3)]
    with (
        loop_thread() as loop,
        modbus_server(loop, meter),
        city(database_url, port, pair, outputs[0]) as first,
    ):
        assert enrol(database_url, file, capsys).code == 0
        with watched([str(MILLPOND), "collector", "run", str(file)], outputs[1]) as gateway:
            wait_for(lambda: len(sequence(database_url)) >= 2, "batches", DEADLINE_S)
            first.process.kill()
            gateway.wait_for_text("the city does not take data", DEADLINE_S)
            before = len(sequence(database_url))
            with city(database_url, port, pair, outputs[2]):
                gateway.wait_for_text("the city takes data again", DEADLINE_S)
                wait_for(lambda: len(sequence(database_url)) > before, "more batches", DEADLINE_S)
                revoked = millpond(
                    capsys, "db", "revoke", "--gateway", GATEWAY, "--database", database_url
                )
                assert revoked.out == f"nothing more is taken from {GATEWAY}\n"
                gateway.wait_for_text(f"gateway {GATEWAY} was revoked", DEADLINE_S)
            gateway.process.send_signal(signal.SIGTERM)
            assert gateway.wait_until_all_ended() == 0
            assert "Traceback" not in gateway.said()
    found = sequence(database_url)
    assert found == list(range(1, len(found) + 1))
    with closing(store.connect(database_url)) as conn:
        actions = conn.execute("SELECT action FROM registry.gateway_event ORDER BY event_id")
        assert [action for (action,) in actions] == ["code_made", "enrolled", "revoked"]
        values = conn.execute("SELECT DISTINCT value, status FROM telemetry.measurement")
        assert values.fetchall() == [(1234.0, 0)]


def enrol(url: str, file: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    made = millpond(
        capsys,
        *("db", "enrolment-code", "--factory", FACTORY, "--gateway", GATEWAY, "--database", url),
    )
    assert (made.code, made.err) == (0, "")
    return millpond(capsys, "collector", "enrol", file, "--code", made.out.strip())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("db enrolment-code --factory nowhere --gateway gw", "nowhere"),
        ("db revoke --gateway gw-none", "no gateway gw-none is enrolled"),
        ("collector enrol gateway.toml --code 0000", "the city does not enrol this gateway"),
        ("collector enrol gateway.toml --factory F", "--code CODE"),
        ("api serve --port FREE --tls-certificate none.pem --tls-key none.pem", "none.pem"),
    ],
)
def test_a_failure_is_one_plain_line(
    words: str,
    line: str,
    database_url: str,
    tmp_path: Path,
    pair: Pair,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert pair.certificate.exists()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MILLPOND_DATABASE_URL", database_url)
    text = FILE.format(gateway=GATEWAY, port=free_port(), meter=free_port())
    Path("gateway.toml").write_text(text, "utf-8")
    said = millpond(capsys, *words.replace("FREE", str(free_port())).split())
    assert said.code == 1
    assert line in said.line


@pytest.mark.parametrize(
    "words",
    [
        "collector enrol gateway.toml",
        "collector enrol gateway.toml --code 0000 --factory F",
        "api serve --tls-certificate city.pem --database postgresql://127.0.0.1:1/none",
        "api serve --client-ca city.pem --database postgresql://127.0.0.1:1/none",
        "db enrolment-code --factory F --gateway gw --hours 0",
    ],
)
def test_words_that_do_not_go_together(
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    text = FILE.format(gateway=GATEWAY, port=1, meter=1)
    Path("gateway.toml").write_text(text, "utf-8")
    assert millpond(capsys, *words.split()).code == 2
