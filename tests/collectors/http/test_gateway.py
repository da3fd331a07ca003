"""HTTP and files through a whole gateway: what was answered with 202 outlives a kill -9."""

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

import store
from collectors.gateway_status import status
from collectors.quarantined import refused
from tests.collectors.plant import enrolled, prepare_database, rows_of, running, write_file
from tests.support.ports import free_port
from tests.support.waiting import wait_for


def sources(port: int) -> str:
    return f"""
[[source]]
name = "business"
kind = "http"
port = {port}
  [[source.tag]]
  tag = "EM01.energy"
  [[source.record]]
  kind = "order_line"
[[source]]
name = "exports"
kind = "files"
folder = "exports"
poll_s = 0.1
  [[source.record]]
  pattern = "orders*.csv"
  kind = "order_line"
"""


def line(number: int, quantity: int = 1) -> dict[str, Any]:
    return {"line": f"SO{number:03}", "quantity": quantity, "due": "2026-03-10"}


def records_of(url: str) -> list[tuple[str, int]]:
    with closing(store.connect(url)) as conn:
        return conn.execute("SELECT key, version FROM telemetry.record ORDER BY 1, 2").fetchall()


def test_records_and_values_reach_the_database_and_the_refused_are_told(
    tmp_path: Path, database_url: str
) -> None:
    port = free_port()
    prepare_database(database_url, ["EM01.energy"])
    (tmp_path / "exports").mkdir()
    text = "line,quantity,due\nSO900,1,2026-03-10\nSO901,-1,2026-03-10\nSO001,1,2026-03-10\n"
    (tmp_path / "exports" / "orders.csv").write_text(text)
    config = enrolled(write_file(tmp_path, sources(port), database_url))
    with running(config), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        wait_for(lambda: [s.state for s in status(config).sources] == ["up", "up"], "both up")
        lines = [line(1), line(2), line(3, -3)]
        assert client.post("/records/order_line", json=lines).status_code == 422
        assert client.post("/records/order_line", json=line(2, 7)).status_code == 202
        assert client.post("/tags", json={"EM01.energy": 7}).status_code == 202
        wait_for(lambda: len(records_of(database_url)) == 4, "all records")
        wait_for(lambda: len(rows_of(database_url)) == 1, "the value")
    # The line that came both ways is one record of one version.
    assert records_of(database_url) == [("SO001", 1), ("SO002", 1), ("SO002", 2), ("SO900", 1)]
    assert {(one.source, one.reason) for one in refused(config, 10)} == {
        ("business", "order_line: quantity: -3 is less than 0"),
        ("exports", "orders.csv, line 3: order_line: quantity: -1 is less than 0"),
    }
    with closing(store.connect(database_url)) as conn:
        kept = conn.execute("SELECT payload FROM telemetry.quarantine ORDER BY reason").fetchall()
    assert json.loads(kept[0][0]) == line(3, -3)
    assert kept[1] == ("SO901,-1,2026-03-10",)


def test_what_was_answered_with_202_outlives_a_kill(tmp_path: Path, database_url: str) -> None:
    """The database is away meanwhile; the next gateway finds every answered record on disk."""
    port = free_port()
    (tmp_path / "exports").mkdir()
    path = write_file(tmp_path, sources(port))
    process = subprocess.Popen(
        [sys.executable, "-m", "collectors", str(path)], stderr=subprocess.DEVNULL
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_for(lambda: answers(client, line(0)), "the gateway's first answer", timeout_s=60)
            answered = [n for n in range(1, 6) if answers(client, line(n))]
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait(30)
    assert answered == list(range(1, 6))
    prepare_database(database_url, ["EM01.energy"])
    config = enrolled(write_file(tmp_path, sources(port), database_url))
    with running(config):
        wait_for(lambda: len(records_of(database_url)) == len(answered) + 1, "all records")


def answers(client: httpx.Client, body: dict[str, Any]) -> bool:
    try:
        return client.post("/records/order_line", json=body).status_code == 202
    except httpx.TransportError:
        return False
