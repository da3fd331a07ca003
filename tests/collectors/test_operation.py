"""A gateway in operation: its file changes under it, and others ask how it is."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish

from collectors.config.file import GatewayConfig, load
from collectors.gateway_status import status
from deploy.broker import EmbeddedBroker
from tests.collectors.plant import enrolled, prepare_database, rows_of, running, write_file
from tests.support.ports import free_port
from tests.support.waiting import wait_for

METRICS = "[metrics]\nport = {port}\n"


def source(broker: EmbeddedBroker, name: str, *tags: str, port: int | None = None) -> str:
    """Return a source with a session of its own and a tag for each topic."""
    lines = [
        "[[source]]",
        f'name = "{name}"',
        'kind = "mqtt"',
        'host = "127.0.0.1"',
        f"port = {port or broker.port}",
        f'client_id = "operation-{name}"',
    ]
    for tag in tags:
        lines += ["[[source.tag]]", f'tag = "{tag}"', f'topic = "operation/{tag}"']
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path, database_url: str) -> Path:
    prepare_database(database_url, ["a", "b", "c"])
    return tmp_path


def send(broker: EmbeddedBroker, topic: str, payload: str) -> None:
    publish.single(topic, payload, qos=1, hostname=broker.host, port=broker.port)


def rewrite(config: GatewayConfig, url: str, sources: str) -> None:
    write_file(config.path.parent, sources, url)


def values(url: str, tag: str) -> list[float | None]:
    return [value for name, _, value, code in rows_of(url) if name == tag and code >= 0]


def names(config: GatewayConfig) -> dict[str, str]:
    return {one.name: one.state for one in status(config).sources}


def test_a_changed_file_is_taken_over_and_a_source_that_stays_is_not_touched(
    folder: Path, database_url: str, broker: EmbeddedBroker
) -> None:
    first = source(broker, "one", "a")
    config = enrolled(write_file(folder, first, database_url))
    with running(config):
        wait_for(lambda: names(config) == {"one": "up"}, "the first source")
        since = status(config).sources[0].since
        rewrite(config, database_url, first + source(broker, "two", "b"))
        wait_for(lambda: names(config) == {"one": "up", "two": "up"}, "the second source")
        assert status(config).sources[0].since == since
        send(broker, "operation/a", "1.5")
        send(broker, "operation/b", "2.5")
        wait_for(lambda: values(database_url, "b") == [2.5], "a value of the new source")
        assert values(database_url, "a") == [1.5]
        rewrite(config, database_url, source(broker, "two", "b"))
        wait_for(lambda: names(config) == {"two": "up"}, "the end of the first source")


def test_what_is_spooled_outlives_a_change_of_the_file(
    folder: Path, database_url: str, broker: EmbeddedBroker
) -> None:
    """Like a remote configuration that arrives while the upstream is away."""
    away = "postgresql://127.0.0.1:1/none"
    first = source(broker, "one", "a")
    config = enrolled(write_file(folder, first, database_url))
    write_file(folder, first, away)
    config = load(config.path)
    with running(config):
        wait_for(lambda: names(config) == {"one": "up"}, "the first source")
        send(broker, "operation/a", "1.5")
        wait_for(lambda: status(config).backlog_rows >= 1, "a row in the spool")
        rewrite(config, away, first + source(broker, "two", "b"))
        wait_for(lambda: len(names(config)) == 2, "the second source")
        assert status(config).backlog_rows >= 1
    write_file(folder, first, database_url)
    with running(load(config.path)):
        wait_for(lambda: values(database_url, "a") == [1.5], "the spooled row")


def test_a_wrong_file_is_told_and_nothing_changes(
    folder: Path, database_url: str, broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    first = source(broker, "one", "a")
    config = enrolled(write_file(folder, first, database_url))
    with running(config):
        wait_for(lambda: names(config) == {"one": "up"}, "the first source")
        rewrite(config, database_url, first.replace("topic", "topik"))
        wait_for(lambda: 'unknown key "topik"' in caplog.text, "the problem of the file")
        rewrite(config, "postgresql://127.0.0.1:2/other", first)
        wait_for(lambda: "[sink] changed, which needs a restart" in caplog.text, "the refusal")
        assert names(config) == {"one": "up"}


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def healthz(port: int) -> tuple[int, dict[str, Any]]:
    code, text = ask(port, "/healthz")
    return code, json.loads(text)


def test_metrics_and_health_tell_of_each_source(
    folder: Path, database_url: str, broker: EmbeddedBroker
) -> None:
    port = free_port()
    sources = (
        METRICS.format(port=port) + source(broker, "one", "a") + source(broker, "gone", "c", port=1)
    )
    config = enrolled(write_file(folder, sources, database_url))
    with running(config):
        wait_for(lambda: names(config).get("one") == "up", "the source")
        send(broker, "operation/a", "1.5")
        wait_for(lambda: values(database_url, "a") == [1.5], "the value")
        wait_for(lambda: healthz(port)[1]["sink"]["state"] == "up", "the sink")
        code, body = healthz(port)
        assert (code, body["status"]) == (503, "degraded")
        one, gone = body["sources"]
        assert (one["name"], one["state"]) == ("one", "up")
        assert 0 <= one["last_good_age_s"] < 60
        assert (gone["state"], gone["last_good_age_s"]) == ("down", None)
        assert gone["reason"]
        code, text = ask(port, "/metrics")
        assert code == 200
        lines = text.splitlines()
        assert 'millpond_source_up{source="one"} 1.0' in lines
        assert 'millpond_source_up{source="gone"} 0.0' in lines
        assert any(line.startswith("millpond_gateway_rows_sent_total ") for line in lines)
        assert "millpond_gateway_sink_up 1.0" in lines
        assert ask(port, "/elsewhere")[0] == 404


def test_health_is_well_when_every_source_is(
    folder: Path, database_url: str, broker: EmbeddedBroker
) -> None:
    port = free_port()
    sources = METRICS.format(port=port) + source(broker, "one", "a")
    with running(enrolled(write_file(folder, sources, database_url))):
        wait_for(lambda: healthz(port)[0] == 200, "health")
        assert healthz(port)[1]["status"] == "ok"
