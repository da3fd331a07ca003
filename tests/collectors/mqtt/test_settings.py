"""The keys of an MQTT source beyond the test cases of gateway files."""

from pathlib import Path

import pytest

import collectors.mqtt
from collectors.backoff import Backoff
from collectors.config.file import check, load
from collectors.mqtt.connection import connection_of
from collectors.mqtt.settings import MqttSource, MqttTag
from deploy.commands import collector
from tests.collectors.plant import write_file
from tests.collectors.surroundings import context

SAMPLE = Path(collectors.mqtt.__path__[0]) / "sample.toml"
SOURCE = """
[[source]]
name = "plant"
kind = "mqtt"
host = "127.0.0.1"
  [[source.tag]]
  tag = "T"
  topic = "t"
"""


def source(*, port: int | None = None, tls: bool = False) -> MqttSource:
    return MqttSource(
        name="plant",
        kind="mqtt",
        host="127.0.0.1",
        client_id="gateway",
        port=port,
        tls=tls,
        tags=(MqttTag(tag="T", topic="t"),),
    )


def test_a_kept_session_never_has_a_random_client_id(tmp_path: Path) -> None:
    """Another id at each start would leave a session behind that fills up and is never read."""
    (problem,) = check(write_file(tmp_path, SOURCE))
    assert problem.message == '[[source]] lacks "client_id"'


def test_a_probe_does_not_push_the_gateway_out(tmp_path: Path) -> None:
    """A broker ends the connection of whoever comes second under one client id."""
    names = {
        connection_of(source(), context(tmp_path, probing=probing)).client_id
        for probing in (True, False)
    }
    assert len(names) == 2


def test_the_wait_before_the_next_connection_stays_short() -> None:
    backoff = Backoff()
    assert max(backoff.next_s() for _ in range(50)) <= 30


@pytest.mark.parametrize(
    ("port", "tls", "meant"), [(None, False, 1883), (None, True, 8883), (1884, True, 1884)]
)
def test_the_port_follows_tls(port: int | None, tls: bool, meant: int, tmp_path: Path) -> None:
    assert connection_of(source(port=port, tls=tls), context(tmp_path)).port == meant


def test_the_advice_for_the_broker_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert load(SAMPLE).sources
    collector.check(SAMPLE)
    first, advice = capsys.readouterr().out.splitlines()
    assert first.endswith("no problem found")
    assert advice.startswith('advice for source "plant": mosquitto keeps 1000 messages')
    assert "max_queued_messages 100000" in advice
