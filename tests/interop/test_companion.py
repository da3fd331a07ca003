"""Machines made from the official NodeSets, connected without typing a node id.

The server is node-opcua; the expected numbers stand in companion_server.js.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collectors.config.file import check
from collectors.context import Context
from collectors.opcua.browse import Limits
from collectors.opcua.companion import tables
from collectors.opcua.look import look
from collectors.opcua.settings import OpcuaSource
from store import Connection
from store.plans import load_plan
from tests.collectors.plant import plan
from tests.deploy.command import millpond
from tests.interop.node import run_node
from tests.interop.nodesets import Nodes, nodes_of
from tests.support.ports import free_port

MILLPOND = Path(sys.executable).with_name("millpond")
BASE = "http://opcfoundation.org/UA/"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    port = free_port()
    with run_node("companion_server.js", str(port)):
        yield f"opc.tcp://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def folder(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what one call of the verb wrote."""
    made = tmp_path_factory.mktemp("browse")
    words = ["browse", url, "--security", "none", "--write", "gateway.toml", "--plan", "plan.json"]
    ended = subprocess.run(
        [MILLPOND, "collector", *words, "--json"],
        capture_output=True,
        text=True,
        cwd=made,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    (made / "browse.json").write_text(ended.stdout, encoding="utf-8")
    return made


def told(folder: Path) -> dict[str, Any]:
    """Return what the verb printed as JSON."""
    return dict(json.loads((folder / "browse.json").read_text(encoding="utf-8")))


# --- the tables against the NodeSets -------------------------------------------------------------


def published() -> Nodes:
    """Return what the NodeSets of the tables' namespaces define."""
    return nodes_of(frozenset(tables.namespaces().values()))


def test_every_type_of_the_table_has_the_number_of_its_nodeset() -> None:
    for text, address in tables.types().items():
        prefix, _, name = text.partition(":")
        uri, _, identifier = address.removeprefix("nsu=").partition(";")
        assert published().names[uri, identifier] == (tables.namespaces()[prefix], name)


@pytest.mark.parametrize("rule", tables.rules(), ids=lambda rule: rule.tag)
def test_the_path_of_a_rule_is_one_that_its_type_declares(rule: tables.Rule) -> None:
    nodes = published()
    uri, _, identifier = rule.type.removeprefix("nsu=").partition(";")
    reached = {(uri, identifier)}
    for step in rule.path:
        if isinstance(step, str):
            return
        if step.text == "PartsProducedInLifetime" and uri == tables.namespaces()["machinery"]:
            # Machine Tools puts this into the counters of Machinery where it uses them.
            assert (tables.namespaces()["tool"], step.text) in nodes.names.values()
            return
        name = (step.namespace or BASE, step.text)
        reached = {one for each in reached for one in nodes.below(each) if nodes.names[one] == name}
        assert reached, step


# --- what is proposed ----------------------------------------------------------------------------


def test_each_machine_is_recognised_with_its_nameplate(folder: Path) -> None:
    found = {one["asset"]["code"]: one["asset"] for one in told(folder)["proposals"]}
    assert {code: asset["specifications"] for code, asset in found.items()} == {
        "示例压机": [
            "OPC 40001-1 Machinery",
            "OPC 40001-2 Process Values",
            "OPC 40001-3 Job Management",
        ],
        "MillingCentre": ["OPC 40001-1 Machinery", "OPC 40501-1 Machine Tools"],
        "Lathe": ["OPC 40001-1 Machinery", "OPC 40501-1 Machine Tools"],
        "Packer": ["OPC 30050 PackML"],
        "WeldingRobot": ["OPC 40010-1 Robotics"],
    }
    press = found["示例压机"]
    assert (press["manufacturer"], press["model"]) == ("示例机床", "Sample 500")
    assert (press["serial"], press["product_instance_uri"]) == ("PR-0001", "urn:example:PR-0001")
    assert (found["WeldingRobot"]["kind"], found["WeldingRobot"]["serial"]) == ("robot", "RB-0003")
    assert found["Packer"]["name"] == "示例包装机"


def test_roles_units_and_states_are_proposed(folder: Path) -> None:
    tags = {tag["tag"]: tag for one in told(folder)["proposals"] for tag in one["tags"]}
    proposed = {name: (tag["role"], tag["unit"], tag["scheme"]) for name, tag in tags.items()}
    expected = {
        "示例压机.state": ("state", "1", "machinery"),
        "示例压机.HydraulicPressure": ("process", "bar", None),
        "示例压机.ActiveEnergy": ("energy", "kWh", None),
        "示例压机.ActivePower": ("power", "kW", None),
        "MillingCentre.state": ("state", "1", "machinery"),
        "MillingCentre.total": ("total_count", "count", None),
        "Lathe.program_state": ("state", "1", "machine_tool_program"),
        "Packer.state": ("state", "1", "packml"),
        "Packer.total": ("total_count", "count", None),
        "Packer.reject": ("reject_count", "count", None),
        "WeldingRobot.state": ("state", "1", "robotics_operation"),
        "WeldingRobot.energy": ("energy", "kWh", None),
        "WeldingRobot.Arm1_speed_override": ("process", "%", None),
    }
    assert expected.items() <= proposed.items()


def test_the_written_file_is_accepted_as_it_is(folder: Path) -> None:
    assert check(folder / "gateway.toml") == []
    text = (folder / "gateway.toml").read_text(encoding="utf-8")
    assert "ns=" not in text.replace("nsu=", "")
    assert "Machines/示例压机" in text


def test_every_proposed_tag_gives_a_good_value(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = millpond(capsys, "collector", "probe", folder / "gateway.toml", "--json")
    assert said.code == 0, said.err
    found = {one["tag"]: one for one in json.loads(said.out)}
    assert {one["status_name"] for one in found.values()} == {"Good"}
    values = {
        "示例压机.state": 33,  # Executing + Processing
        "示例压机.HydraulicPressure": 160.5,
        "示例压机.ActiveEnergy": 1234.5,
        "MillingCentre.state": 22,  # NotExecuting + Setup
        "MillingCentre.total": 4711,
        "Lathe.program_state": 1,  # Running
        "Packer.state": 6,  # Execute
        "Packer.total": 5000,
        "Packer.reject": 25,
        "WeldingRobot.state": 3,  # Executing
        "WeldingRobot.energy": 321.25,
    }
    assert {tag: found[tag]["value"] for tag in values} == values


def test_the_part_of_the_plan_is_one_that_loads(folder: Path, db: Connection) -> None:
    part = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert load_plan(db, {**plan([]), **part}) > 0
    assert part["state_maps"]["packml"]["6"] == "run"
    packer = next(asset for asset in part["assets"] if asset["code"] == "Packer")
    assert packer["tags"][0]["state_map"] == "packml"


# --- small servers -------------------------------------------------------------------------------


def test_a_server_with_few_continuation_points_is_read_to_the_end(url: str, folder: Path) -> None:
    source = OpcuaSource(name="line1", kind="opcua", url=url, security="none")
    context = Context(ZoneInfo("UTC"), folder, folder / "state", probing=True)
    # One reference at a time: every node with two children needs a point of the three there are.
    limits = Limits(references=1)
    space = asyncio.run(look(source, context, limits, lambda _nodes: None))
    assert space.is_complete
    assert space.unread == []
    assert len(space.nodes) == len(told(folder)["nodes"])
    assert len(space.matching("Tank/Valve*")) == 30


def test_a_folder_with_more_children_than_the_limit_is_not_read_to_its_end(
    url: str, tmp_path: Path
) -> None:
    source = OpcuaSource(name="line1", kind="opcua", url=url, security="none")
    context = Context(ZoneInfo("UTC"), tmp_path, tmp_path / "state", probing=True)
    limits = Limits(references=1, nodes=20)
    space = asyncio.run(look(source, context, limits, lambda _nodes: None))
    assert (len(space.nodes), space.is_complete) == (20, False)
    # The server has three points in all: those of the cut walk were given back.
    again = asyncio.run(look(source, context, Limits(references=1), lambda _nodes: None))
    assert again.is_complete


# --- the verb ------------------------------------------------------------------------------------


def test_a_pattern_chooses_nodes_of_any_machine(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "tank.toml"
    words = (url, "--security", "none", "--match", "Tank/*", "--write", written)
    shown = millpond(capsys, "collector", "browse", *words).out
    assert re.search(r"Tank/Temperature .* 81\.5 .* °C .* Double", shown)
    text = written.read_text(encoding="utf-8")
    assert 'tag = "Tank.Temperature"\n  unit = "°C"' in text
    assert text.count("[[source.tag]]") == 31
    assert check(written) == []


def test_the_tree_shows_type_value_unit_and_access(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = millpond(capsys, "collector", "browse", url, "--security", "none").out
    assert re.search(r"ActiveEnergy = 1234\.5 kW·h +Double r", shown)
    assert re.search(r"CurrentState = Executing +LocalizedText r", shown)


def test_a_source_of_a_gateway_file_is_browsed_with_its_own_keys(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (folder / "gateway.toml", "--match", "**/ActivePower")
    shown = millpond(capsys, "collector", "browse", *words).out
    assert "Consumption/ActivePower" in shown


def test_a_limit_is_said(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = (url, "--security", "none", "--nodes", "10", "--json")
    found = json.loads(millpond(capsys, "collector", "browse", *words).out)
    assert (len(found["nodes"]), found["is_complete"]) == (10, False)


def test_without_a_word_on_security_the_server_is_asked_what_it_offers(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = millpond(capsys, "collector", "browse", url)
    assert (said.code, said.err) == (
        1,
        f"millpond: say how to connect, with --security: {url} offers none\n",
    )


def test_a_file_that_is_there_is_not_overwritten(
    folder: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "gateway.toml"
    before = path.read_bytes()
    words = (url, "--security", "none", "--write", path)
    said = millpond(capsys, "collector", "browse", *words)
    assert said.code == 1
    assert f"{path} is there already" in said.err
    assert path.read_bytes() == before


def test_a_first_gateway_file_takes_what_the_server_has(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gateway.toml"
    head = ("--gateway", "gw-1", "--timezone", "Asia/Shanghai", "--database-env", "DATABASE")
    said = millpond(capsys, "collector", "init", path, *head, "--opcua", url, "--security", "none")
    assert said.code == 0, said.err
    assert "示例压机" in said.out
    assert check(path) == []
    assert 'states = "machinery"' in path.read_text(encoding="utf-8")
