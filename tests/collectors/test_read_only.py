"""A gateway cannot write to a plant: no call that could is anywhere in the package."""

import ast
from pathlib import Path

import pytest

import collectors
from collectors.sparkplug.topics import Node, rebirth_topic

FOLDER = Path(collectors.__file__).parent
MODULES = sorted(FOLDER.rglob("*.py"))
PROTOCOLS = ("opcua", "modbus", "mqtt", "sparkplug")

# All that the adapters may use of the libraries' clients: reading and bookkeeping.
ALLOWED = {
    "opcua": {
        "_client": {"state", "uaclient"},
        "client": {
            "application_uri",
            "connect",
            "connect_and_get_server_endpoints",
            "connection_lost_callback",
            "description",
            "disconnect",
            "may_send_plain",
            "name",
            "product_uri",
            "session_timeout",
            "set_password",
            "set_security",
            "set_user",
            "uaclient",
            "user_certificate",
            "user_private_key",
        },
        "uaclient": {"protocol", "session"},
        "protocol": {"transport"},
        "_session": {"browse", "browse_next", "read", "translate_browsepaths_to_nodeids"},
        "session": {
            "browse",
            "browse_next",
            "create_monitored_items",
            "create_subscription",
            "read",
            "translate_browsepaths_to_nodeids",
        },
    },
    "modbus": {
        "_client": {"connected"},
        "client": {
            "close",
            "connect",
            "connected",
            "read_coils",
            "read_discrete_inputs",
            "read_holding_registers",
            "read_input_registers",
            "set_max_no_responses",
        },
    },
    "mqtt": {
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
            "tls_set_context",
            "username_pw_set",
        },
    },
    # The one request that a Sparkplug host may send; see the test of it below.
    "sparkplug": {"_client": {"publish"}},
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
    "published_s",
    "_published",
    "_PUBLISHES_WAITING",
    "_write_table",
    "_write_progress",
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


def trees(protocol: str) -> list[ast.Module]:
    """Return the parsed modules of a protocol."""
    paths = sorted((FOLDER / protocol).rglob("*.py"))
    assert paths
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


@pytest.mark.parametrize(("protocol", "owner"), [(p, o) for p in ALLOWED for o in ALLOWED[p]])
def test_clients_are_used_for_reading_only(protocol: str, owner: str) -> None:
    used: set[str] = set().union(*(used_of(tree, owner) for tree in trees(protocol)))
    assert used - ALLOWED[protocol][owner] == set()
    assert used


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_writing_service_is_named(protocol: str) -> None:
    names: set[str] = set().union(*(names_in(tree) for tree in trees(protocol)))
    names -= {"publish"} if protocol == "sparkplug" else set()
    found = {
        name
        for name in names - HARMLESS
        if any(name.lower().startswith(word) for word in WRITING)
        or "WriteRequest" in name
        or "CallRequest" in name
    }
    assert found == set()


def test_a_sparkplug_host_can_ask_for_births_and_send_nothing_else() -> None:
    tree = ast.parse((FOLDER / "sparkplug" / "rebirth.py").read_text(encoding="utf-8"))
    (function,) = (
        item
        for item in ast.walk(tree)
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and "publish" in names_in(item)
    )
    assert function.name == "ask_for_births"
    (sent,) = (
        item
        for item in ast.walk(function)
        if isinstance(item, ast.Call) and "publish" in names_in(item.func)
    )
    assert ast.unparse(sent.args[0]) == "rebirth_topic(node)"
    everywhere = [
        path.name for path in MODULES if "publish" in names_in(ast.parse(path.read_text("utf-8")))
    ]
    assert everywhere == ["rebirth.py"]
    assert rebirth_topic(Node("G", "N")) == "spBv1.0/G/NCMD/N"


def test_each_library_is_used_by_its_protocol_alone() -> None:
    homes = {"asyncua": "opcua", "pymodbus": "modbus", "paho": "mqtt"}
    using = set()
    for path in MODULES:
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(item, ast.ImportFrom) and item.module:
                imported = {item.module.partition(".")[0]}
            elif isinstance(item, ast.Import):
                imported = {alias.name.partition(".")[0] for alias in item.names}
            else:
                continue
            using |= {(library, path.parent.name) for library in imported & homes.keys()}
    assert using == set(homes.items())
