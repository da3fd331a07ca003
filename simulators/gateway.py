"""The gateway file that reads every live tag of a plant."""

import json
from typing import TYPE_CHECKING, Any

from simulators.model import Register
from simulators.tags import MqttAddress, OpcAddress, TagSpec

if TYPE_CHECKING:
    from simulators.plant import Plant

# Topic, kind, and the fields of key and time of each kind of record that the systems send.
RECORDS = (
    ("erp/order_line", "order_line", "line", "due"),
    ("mes/inspection", "inspection", "lot", "inspected_at"),
    ("wms/stock_balance", "stock_balance", "id", "day"),
    ("erp/cogs", "cogs", "month", "day"),
    ("erp/headcount", "headcount", "month", "day"),
    ("erp/output_value", "output_value", "month", "day"),
    ("erp/energy_invoice", "energy_invoice", "id", "last_day"),
    ("plm/rd_project", "rd_project", "project", "released_on"),
    ("aps/plan_operation", "plan_operation", "id", "starts_at"),
    ("mes/recipe_download", "recipe_download", "id", "sent_at"),
    ("mes/job", "job", "job", "started_at"),
    ("mes/lot_genealogy", "lot_genealogy", "id", "consumed_at"),
    ("wms/stock_move", "stock_move", "move", "moved_at"),
    ("eam/alarm", "alarm", "alarm", "raised_at"),
    ("eam/maintenance", "maintenance", "order", "started_at"),
)


def namespace(scenario: str) -> str:
    """Return the OPC UA namespace URI of a scenario's server."""
    return f"urn:example:millpond:{scenario}"


def gateway_toml(
    plant: "Plant",
    opcua_port: int,
    modbus_port: int,
    mqtt_port: int,
    *,
    gateway_id: str | None = None,
    key: str = "gateway.key",
    spool: str = "spool.db",
    database_url: str | None = None,
    heartbeat_s: int = 60,
) -> str:
    """Return the text of a gateway file; without a database address it names the variable."""
    name = plant.scenario.name
    gateway = gateway_id or f"gw-demo-{name}"
    sink: dict[str, Any] = {"kind": "timescale"}
    sink |= {"url": database_url} if database_url else {"url_env": "MILLPOND_DATABASE_URL"}
    lines = [
        *_table("[gateway]", {"id": gateway, "key": key}),
        *_table("[spool]", {"path": spool, "max_mb": 512, "max_age_days": 30}),
        *_table("[sink]", sink | {"batch_rows": 5000, "batch_seconds": 1.0}),
        *_table("[[source]]", _opcua(opcua_port, heartbeat_s)),
        *_tags(plant, "opcua"),
        *_table("[[source]]", _modbus(modbus_port, heartbeat_s)),
        *_tags(plant, "modbus"),
        *_table("[[source]]", _mqtt(mqtt_port, gateway, heartbeat_s)),
        *_tags(plant, "mqtt"),
    ]
    for topic, kind, record_key, at in RECORDS:
        entry = {"topic": f"plant/{name}/{topic}", "kind": kind, "key": record_key, "at": at}
        lines += _table("[[source.record]]", entry)
    return "\n".join(lines)


def _opcua(port: int, heartbeat_s: int) -> dict[str, Any]:
    return {
        "name": "machines",
        "kind": "opcua",
        "url": f"opc.tcp://127.0.0.1:{port}",
        "security": "none",
        "publish_ms": 1000,
        "heartbeat_s": heartbeat_s,
    }


def _modbus(port: int, heartbeat_s: int) -> dict[str, Any]:
    return {
        "name": "meters",
        "kind": "modbus",
        "host": "127.0.0.1",
        "port": port,
        "poll_s": 5,
        "timeout_s": 2,
        "heartbeat_s": heartbeat_s,
    }


def _mqtt(port: int, gateway: str, heartbeat_s: int) -> dict[str, Any]:
    return {
        "name": "business",
        "kind": "mqtt",
        "host": "127.0.0.1",
        "port": port,
        "client_id": gateway,
        "heartbeat_s": heartbeat_s,
    }


def _tags(plant: "Plant", source: str) -> list[str]:
    lines = []
    for tag in plant.tags:
        if tag.source == source:
            lines += _table("[[source.tag]]", {"tag": tag.name} | _address(plant, tag))
    return lines


def _address(plant: "Plant", tag: TagSpec) -> dict[str, Any]:
    address = tag.address
    if isinstance(address, OpcAddress):
        return {"node": f"nsu={namespace(plant.scenario.name)};s={address.node}"}
    if isinstance(address, MqttAddress):
        return {"topic": address.topic, "value": "online", "ts": "at"}
    assert isinstance(address, Register)
    return {
        "unit_id": address.unit_id,
        "table": address.table,
        "address": address.address,
        "type": address.type,
        "order": address.order,
        "scale": address.scale,
    }


def _table(header: str, values: dict[str, Any]) -> list[str]:
    # A JSON string, number or boolean is written the same in TOML.
    return [header, *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""]
