"""A gateway cannot write to a plant: no call that could is anywhere in the package."""

import ast
from pathlib import Path

import pytest

import collectors

FOLDER = Path(collectors.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))

# All that the adapters may use of the libraries' clients: reading and bookkeeping.
ALLOWED = {
    "opcua.py": {
        "_client": {
            "connect",
            "connection_lost_callback",
            "session_timeout",
            "state",
            "uaclient",
        },
        "client": {"disconnect"},
        "uaclient": {"protocol", "session"},
        "protocol": {"transport"},
        "_session": {"create_monitored_items", "create_subscription", "read"},
    },
    "modbus.py": {
        "_client": {
            "close",
            "connect",
            "connected",
            "read_holding_registers",
            "read_input_registers",
            "set_max_no_responses",
        },
    },
    "mqtt.py": {
        "_client": {
            "ack",
            "connect",
            "disconnect",
            "loop_start",
            "loop_stop",
            "subscribe",
            "unsubscribe",
        },
        "client": {
            "connect_timeout",
            "on_connect",
            "on_disconnect",
            "on_message",
            "on_subscribe",
        },
    },
}

# What OPC UA, Modbus and MQTT clients call the things that change something in a plant.
WRITING = (
    "write",
    "set_value",
    "set_attribute",
    "set_writable",
    "call_method",
    "add_nodes",
    "delete_nodes",
    "add_references",
    "delete_references",
    "history_update",
    "mask_write",
    "readwrite",
    "publish",
    "will_set",
)
# Words of the list that stand for something else here.
HARMLESS = {
    "_write",
    "_WRITE_EVERY_S",
    "_DELIVERIES_PER_WRITE",
    "PublishResult",
    "publish_ms",
    "_NOTIFICATIONS_PER_PUBLISH",
    "_SAMPLES_PER_PUBLISH",
}


def names_in(tree: ast.AST) -> set[str]:
    """Return every name, attribute and keyword in a module's code."""
    names = set()
    for item in ast.walk(tree):
        if isinstance(item, ast.Attribute):
            names.add(item.attr)
        elif isinstance(item, ast.Name):
            names.add(item.id)
        elif isinstance(item, ast.alias):
            names.update((item.name, item.asname or ""))
    return names


def used_of(tree: ast.AST, owner: str) -> set[str]:
    """Return which attributes of an object of that name are used."""
    used = set()
    for item in ast.walk(tree):
        if isinstance(item, ast.Attribute):
            value = item.value
            name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
            if name == owner:
                used.add(item.attr)
    return used


@pytest.mark.parametrize(("module", "owner"), [(m, o) for m in ALLOWED for o in ALLOWED[m]])
def test_clients_are_used_for_reading_only(module: str, owner: str) -> None:
    tree = ast.parse((FOLDER / module).read_text(encoding="utf-8"))
    assert used_of(tree, owner) == ALLOWED[module][owner]


@pytest.mark.parametrize("module", ["opcua.py", "modbus.py", "mqtt.py"])
def test_no_writing_service_is_named(module: str) -> None:
    tree = ast.parse((FOLDER / module).read_text(encoding="utf-8"))
    found = {
        name
        for name in names_in(tree) - HARMLESS
        if any(name.lower().startswith(word) for word in WRITING)
        or "WriteRequest" in name
        or "CallRequest" in name
    }
    assert found == set()


def test_no_other_module_has_a_client_at_all() -> None:
    libraries = {"asyncua", "pymodbus", "paho"}
    using = set()
    for path in MODULES:
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(item, ast.ImportFrom) and item.module:
                imported = {item.module.partition(".")[0]}
            elif isinstance(item, ast.Import):
                imported = {alias.name.partition(".")[0] for alias in item.names}
            else:
                continue
            if imported & libraries:
                using.add(path.name)
    # opcua_values only reads the fields of a value that has arrived.
    assert using == {"opcua.py", "opcua_values.py", "modbus.py", "mqtt.py"}
