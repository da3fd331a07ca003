"""The whole gateway: three real servers in, one real database out."""

import json
from datetime import UTC, datetime
from pathlib import Path

from asyncua import ua
from paho.mqtt.publish import single

from collectors.gateway_status import status
from collectors.sample import to_us
from collectors.status import BAD_NODE_UNKNOWN
from deploy.broker import EmbeddedBroker
from tests.collectors.plant import enrolled, prepare_database, rows_of, running, write_file
from tests.collectors.servers import loop_thread, modbus_server, node, opcua_server
from tests.support.ports import free_port
from tests.support.waiting import wait_for

TAGS = ("M01.state", "M01.missing", "EM01.energy", "ERP.link")


def test_every_protocol_reaches_the_database(
    tmp_path: Path, database_url: str, broker: EmbeddedBroker
) -> None:
    opcua_port, modbus_port = free_port(), free_port()
    sources = f"""
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
name = "meters"
kind = "modbus"
host = "127.0.0.1"
port = {modbus_port}
poll_s = 0.1
  [[source.tag]]
  tag = "EM01.energy"
  address = 1234
  type = "uint16"
  scale = 0.1
[[source]]
name = "business"
kind = "mqtt"
host = "127.0.0.1"
port = {broker.port}
client_id = "gw-end-to-end"
  [[source.tag]]
  tag = "ERP.link"
  topic = "end/status"
  value = "online"
  ts = "at"
  [[source.record]]
  topic = "end/order_line"
  kind = "order_line"
  key = "line"
  at = "due"
"""
    prepare_database(database_url, TAGS)
    config = enrolled(write_file(tmp_path, sources, database_url))
    with (
        loop_thread() as loop,
        opcua_server(loop, opcua_port, {"State": ua.Variant(1, ua.VariantType.Int32)}) as machine,
        modbus_server(loop, modbus_port),
        running(config),
    ):
        wait_for(lambda: len(rows_of(database_url)) >= 3, "first rows")
        machine.write("State", ua.Variant(2, ua.VariantType.Int32))
        wait_for(lambda: [s.state for s in status(config).sources] == ["up"] * 3, "all up")
        # An old time in a message that comes alone would be that of a wrong clock.
        at = datetime.now(UTC)
        link = {"online": True, "at": at.isoformat()}
        single("end/status", json.dumps(link), qos=1, hostname="127.0.0.1", port=broker.port)
        line = {"line": "SO1-1", "quantity": 5, "due": "2026-03-10"}
        single("end/order_line", json.dumps(line), qos=1, hostname="127.0.0.1", port=broker.port)
        wait_for(lambda: {row[0] for row in rows_of(database_url)} == set(TAGS), "all tags")
        wait_for(lambda: status(config).records_sent == 1, "the record")
        assert status(config).is_running
    by_tag = {tag: [row[1:] for row in rows_of(database_url) if row[0] == tag] for tag in TAGS}
    assert {row[1] for row in by_tag["M01.state"]} == {1.0, 2.0}
    assert {row[1:] for row in by_tag["M01.missing"]} == {(None, BAD_NODE_UNKNOWN)}
    assert {row[1] for row in by_tag["EM01.energy"]} == {123.4}
    assert by_tag["ERP.link"] == [(to_us(at), 1.0, 0)]
    assert status(config).backlog_rows == 0
    assert not status(config).is_running
