"""One simulated plant and its gateway, from real protocols to a real database, and their end."""

import os
import signal
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

import simulators.scenarios
import store
from deploy.broker import EmbeddedBroker
from deploy.children import Child
from deploy.demo import live
from deploy.errors import StartFailed
from deploy.ports import LOOPBACK
from simulators.plant import build
from store import measurements, plans, registry
from tests.deploy.demo_run import watched
from tests.deploy.live_city import SCENARIO
from tests.support.ports import free_port
from tests.support.waiting import wait_for

DEADLINE_S = 90.0


@pytest.fixture
def planned(database_url: str) -> str:
    """URL of a database that has the plan of one plant and no row."""
    plant = build(simulators.scenarios.load(SCENARIO), live.utc_now())
    with closing(store.connect(database_url)) as conn:
        plans.load_plan(conn, plant.plan())
    return database_url


def test_every_tag_arrives_and_sigterm_ends_both(
    planned: str, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    since = live.utc_now()
    with live.live_plants([SCENARIO], since, broker.port, planned, tmp_path) as children:
        count = live.wait_for_live(planned, since, children, DEADLINE_S)
        _check_newest(planned, since, count)
        server, gateway = children
        _end(gateway)
        with pytest.raises(StartFailed, match="gateway ended"):
            live.wait_for_live(planned, since + timedelta(days=1), children, DEADLINE_S)
        _end(server)


def _check_newest(url: str, since: datetime, count: int) -> None:
    with closing(store.connect(url)) as conn:
        (factory,) = registry.factories(conn)
        newest = measurements.newest(conn, factory.factory_id)
        tags = registry.monitoring_plan(conn, factory).tags
    assert {row.name for row in newest} == {tag.name for tag in tags}
    assert len(newest) == count > 20
    assert all(row.ts > since for row in newest)


def _end(child: Child) -> None:
    os.kill(child.pid, signal.SIGTERM)
    wait_for(lambda: not child.is_running, f"the end of {child.name}")
    assert "Traceback" not in child.log_path.read_text()


def test_a_tag_that_never_gave_a_value_is_silent(planned: str) -> None:
    with closing(store.connect(planned)) as conn:
        (factory,) = registry.factories(conn)
        first = min(tag.name for tag in registry.monitoring_plan(conn, factory).tags)
    with pytest.raises(StartFailed, match=f"no live data from {first}, "):
        live.wait_for_live(planned, live.utc_now(), [], timeout_s=0)


def logs_in(address: str, said: str) -> list[str]:
    """Log in as the demo says and return the factories that the city officer sees."""
    (password,) = [words[1] for words in map(str.split, said.splitlines()) if words[:1] == ["city"]]
    with httpx.Client(base_url=address, timeout=30) as client:
        assert client.get("/").headers["location"] == "/login"
        given = {"login": "city", "password": password}
        assert client.post("/login", data=given).headers["location"] == "/todos"
        assert client.get("/").status_code == 200
        return [each["code"] for each in client.get("/api/v1/factories").json()["items"]]


# Ctrl-C in a terminal reaches everything in the foreground; SIGKILL reaches one process only.
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_serves_pages_until_it_is_told_to_stop(
    number: signal.Signals, database_url: str, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    port = free_port()
    words = [database_url, str(broker.port), str(tmp_path / "home"), str(port)]
    command = [sys.executable, "-m", "tests.deploy.live_city", *words]
    with watched(command, tmp_path / "output") as city:
        city.wait_for_text("Ctrl-C", DEADLINE_S)
        assert f"http://{LOOPBACK}:{port}/" in city.said()
        assert logs_in(f"http://{LOOPBACK}:{port}", city.said()) == ["DEMO-FIBRE"]
        programs = " ".join(city.left())
        assert "simulators.serve" in programs
        assert "-m collectors" in programs
        if number == signal.SIGINT:
            os.killpg(city.process.pid, number)
        else:
            city.process.send_signal(number)
        code = city.wait_until_all_ended()
    assert code == (-number if number == signal.SIGKILL else 0)
    assert "Traceback" not in city.said()
