"""What can be done with a gateway file, as a person does it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from paho.mqtt.publish import single

from collectors.config.file import load
from collectors.errors import NotSet, SpoolError
from collectors.gateway import run
from collectors.gateway_status import status
from collectors.probe import probe
from collectors.spool.file import sole_use
from deploy.broker import EmbeddedBroker
from tests.collectors.plant import write_file
from tests.collectors.servers import (
    LoopThread,
    loop_thread,
    modbus_server,
    node,
    opcua_server,
)
from tests.support.ports import free_port

MODBUS = """
[[source]]
name = "meters"
kind = "modbus"
host = "127.0.0.1"
port = {port}
timeout_s = 1
  [[source.tag]]
  tag = "EM01.energy"
  unit = "kWh"
  address = 1234
  type = "uint16"
  scale = 0.1
  [[source.tag]]
  tag = "EM02.energy"
  unit_id = 2
  address = 1
  type = "uint16"
"""


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    with loop_thread() as opened:
        yield opened


def run_module(path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "collectors", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_probing_shows_every_tag(tmp_path: Path, loop: LoopThread, broker: EmbeddedBroker) -> None:
    opcua_port, modbus_port = free_port(), free_port()
    sources = f"""
{MODBUS.format(port=modbus_port)}
[[source]]
name = "line1"
kind = "opcua"
url = "opc.tcp://127.0.0.1:{opcua_port}"
security = "none"
publish_ms = 100
  [[source.tag]]
  tag = "M01.state"
  node = "{node("State")}"
  [[source.tag]]
  tag = "M01.missing"
  node = "{node("Missing")}"
[[source]]
name = "gone"
kind = "modbus"
host = "127.0.0.1"
port = {free_port()}
  [[source.tag]]
  tag = "EM09.energy"
  address = 1
  type = "uint16"
[[source]]
name = "business"
kind = "mqtt"
host = "127.0.0.1"
port = {broker.port}
client_id = "gw-probe"
  [[source.tag]]
  tag = "ERP.link"
  topic = "probe/erp"
  value = "online"
  ts = "at"
  [[source.tag]]
  tag = "WMS.link"
  topic = "probe/wms"
"""
    link = json.dumps({"online": True, "at": "2026-03-01T08:00:00+08:00"})
    single("probe/erp", link, retain=True, hostname="127.0.0.1", port=broker.port)
    config = load(write_file(tmp_path, sources))
    with (
        opcua_server(loop, opcua_port, {"State": ua.Variant(3, ua.VariantType.Int32)}),
        modbus_server(loop, modbus_port) as meters,
    ):
        meters.silent = {2}
        found = asyncio.run(probe(config, wait_s=8.0))
    seen = [(one.source, one.tag, one.value, one.unit, one.status_name) for one in found]
    assert seen == [
        ("meters", "EM01.energy", 123.4, "kWh", "Good"),
        ("meters", "EM02.energy", None, "1", "BadTimeout"),
        ("line1", "M01.state", 3.0, "1", "Good"),
        ("line1", "M01.missing", None, "1", "BadNodeIdUnknown"),
        ("gone", "EM09.energy", None, "1", "BadNoCommunication"),
        ("business", "ERP.link", 1.0, "1", "Good"),
        ("business", "WMS.link", None, "1", "BadNoData"),
    ]
    by_tag = {one.tag: one for one in found}
    assert by_tag["ERP.link"].ts == "2026-03-01T00:00:00+00:00"
    assert by_tag["EM01.energy"].latency_ms is not None
    assert "no Modbus device answers" in (by_tag["EM09.energy"].note or "")
    assert by_tag["WMS.link"].note == "nothing came within 8 s"


def test_probing_leaves_no_trace_on_disk(tmp_path: Path) -> None:
    config = load(write_file(tmp_path, MODBUS.format(port=free_port())))
    asyncio.run(probe(config, wait_s=1.0))
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.toml"]


def test_the_state_of_a_gateway_that_never_ran(tmp_path: Path) -> None:
    config = load(write_file(tmp_path, MODBUS.format(port=502)))
    with pytest.raises(SpoolError, match="has not run yet"):
        status(config)


def test_a_wrong_file_ends_with_its_problems(tmp_path: Path) -> None:
    path = write_file(tmp_path, MODBUS.format(port=502).replace("uint16", "uint17"))
    ended = run_module(path)
    assert ended.returncode == 1
    first, second = ended.stderr.splitlines()
    assert first.startswith(f'{path}:24: type = "uint17" is not allowed; did you mean')
    assert second.startswith(f"{path}:30: ")


def test_a_spool_in_use_ends_with_one_line(tmp_path: Path) -> None:
    path = write_file(tmp_path, MODBUS.format(port=502))
    with sole_use(tmp_path / "spool.db"):
        ended = run_module(path)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"another gateway uses the spool {tmp_path / 'spool.db'}; stop it first\n"
    )


@pytest.mark.parametrize("arguments", [[], ["a", "b"]])
def test_how_it_is_called_is_told(arguments: list[Any]) -> None:
    command = [sys.executable, "-m", "collectors", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (2, "usage: python -m collectors FILE\n")


def test_a_file_that_is_no_key_is_left_alone(tmp_path: Path) -> None:
    path = write_file(tmp_path, MODBUS.format(port=502))
    (tmp_path / "gateway.key").write_text("not a key")
    with pytest.raises(NotSet, match="is not a gateway key"):
        asyncio.run(run(load(path), stop=asyncio.Event()))
    assert (tmp_path / "gateway.key").read_text() == "not a key"
