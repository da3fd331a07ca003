"""The tables of the companion specifications, and recognising machines by them."""

import csv
import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from collectors import states
from collectors.config.fields import UNITS
from collectors.opcua.address_space import OBJECTS, AddressSpace, Name, Node
from collectors.opcua.companion import tables, units
from collectors.opcua.companion.recognise import recognise
from collectors.opcua.settings import OpcuaTag
from collectors.proposal import ProposedTag, plan_part
from deploy.commands.browse import browse
from store.plan_schema import ROLES, SINGLE_ROLES

FOLDER = Path(tables.__file__).parent
OWN = "nsu=urn:example:plant;s="


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("namespaces.csv", ("prefix",)),
        ("namespaces.csv", ("uri",)),
        ("types.csv", ("type",)),
        ("rules.csv", ("type", "path")),
        ("units.csv", ("code",)),
        ("units.csv", ("unit",)),
    ],
)
def test_no_table_says_the_same_thing_twice(name: str, key: tuple[str, ...]) -> None:
    found = [tuple(row[part] for part in key) for row in rows(name)]
    assert len(found) == len(set(found))


def test_types_differ_and_each_is_used() -> None:
    assert len(set(tables.types().values())) == len(tables.types())
    source = (FOLDER / "recognise.py").read_text(encoding="utf-8")
    used = {row["type"] for row in rows("rules.csv")}
    assert [name for name in tables.types() if name not in used and f'"{name}"' not in source] == []


@pytest.mark.parametrize("rule", tables.rules(), ids=lambda rule: rule.tag)
def test_a_rule_speaks_of_what_exists(rule: tables.Rule) -> None:
    assert rule.role in (*ROLES, tables.BY_UNIT)
    assert rule.unit in (*UNITS, tables.FROM_SERVER)
    assert rule.states is None or rule.states in states.schemes()
    assert (rule.role == "state") == (rule.states is not None)
    assert "(OPC " in rule.about


def test_every_unit_is_one_that_a_gateway_file_allows() -> None:
    assert {row["unit"] for row in rows("units.csv")} <= set(UNITS)


# --- units ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit_id", "text", "unit"),
    [
        (4937544, "kW·h", "kWh"),  # KWH; published numbers of OPC 10000-8
        (4408652, "°C", "°C"),  # CEL
        (20529, "%", "%"),  # P1
        (-1, "kWh", "kWh"),
        (-1, "r/min", "rpm"),
        (-1, "", "1"),
        (0, "", "1"),
        (4604232, "°F", None),  # FAH, which no plan knows
        (-1, "widgets", None),
    ],
)
def test_a_unit_is_known_by_its_code_before_its_text(
    unit_id: int, text: str, unit: str | None
) -> None:
    assert units.unit_of(unit_id, text) == unit


def test_a_unit_code_beyond_ascii_does_no_harm() -> None:
    assert units.unit_of(0x7FFFFFFF, "kW") == "kW"


# --- machines ------------------------------------------------------------------------------------


class Plant:
    """An address space that a test fills by hand."""

    def __init__(self) -> None:
        self.space = AddressSpace()
        self.machines = tables.node("machinery", "1001")
        self._put(OBJECTS, self.machines, Name(tables.namespaces()["machinery"], "Machines"))

    def object(self, parent: str, name: str, type_name: str = "") -> str:
        """Add an object of a type of the tables and return its address."""
        kind = tables.types().get(type_name, type_name or "i=58")
        address = f"{OWN}{len(self.space.nodes)}"
        self._put(parent, address, Name("urn:example:plant", name), kind)
        return address

    def variable(self, parent: str, name: str, value: str = "1", unit: str = "") -> str:
        """Add a variable whose name may have the prefix of a specification."""
        prefix, _, text = name.rpartition(":")
        address = f"{OWN}{len(self.space.nodes)}"
        uri = tables.namespaces().get(prefix, "")
        self._put(parent, address, Name(uri, text), "i=63", is_variable=True)
        self.space.nodes[address].value = value
        self.space.nodes[address].unit = unit
        return address

    def _put(
        self, parent: str, address: str, name: Name, kind: str = "i=61", is_variable: bool = False
    ) -> None:
        above = None if parent == OBJECTS else parent
        self.space.add(parent, Node(address, name, above, is_variable, kind))


@pytest.fixture
def plant() -> Plant:
    return Plant()


def only_tags(plant: Plant) -> list[ProposedTag]:
    (proposal,) = recognise(plant.space)
    return list(proposal.tags)


def test_an_address_space_without_machines_gives_none(plant: Plant) -> None:
    plant.variable(plant.object(OBJECTS, "Tank"), "Temperature")
    assert recognise(plant.space) == []


def test_a_machine_is_found_by_the_vendors_own_subtype(plant: Plant) -> None:
    own_type = "nsu=urn:example:vendor;i=7"
    plant.space.supertypes[own_type] = tables.types()["tool:MachineToolType"]
    plant.object(plant.object(OBJECTS, "Hall"), "Lathe", own_type)
    (proposal,) = recognise(plant.space)
    assert (proposal.asset.code, proposal.asset.path) == ("Lathe", "Hall/Lathe")
    assert proposal.asset.specifications == ("OPC 40501-1 Machine Tools",)


def test_item_state_and_mode_make_one_state_tag(plant: Plant) -> None:
    press = plant.object(plant.machines, "Press")
    item = plant.object(press, "State", "machinery:MachineryItemState_StateMachineType")
    mode = plant.object(press, "Mode", "machinery:MachineryOperationModeStateMachineType")
    state_node = plant.variable(item, "CurrentState", "Executing")
    mode_node = plant.variable(mode, "CurrentState", "Processing")
    (tag,) = only_tags(plant)
    assert tag.keys == {"node": state_node, "mode_node": mode_node, "states": "machinery"}
    assert (tag.tag, tag.role, tag.scheme) == ("Press.state", "state", "machinery")


def test_an_item_state_without_a_mode_stands_alone(plant: Plant) -> None:
    press = plant.object(plant.machines, "Press")
    item = plant.object(press, "State", "machinery:MachineryItemState_StateMachineType")
    state_node = plant.variable(item, "CurrentState", "Executing")
    (tag,) = only_tags(plant)
    assert tag.keys == {"node": state_node, "states": "machinery_item_state"}


def test_the_mode_beside_the_state_is_taken_before_that_of_a_component(plant: Plant) -> None:
    press = plant.object(plant.machines, "Press")
    component = plant.object(press, "Feeder")
    other = plant.object(component, "Mode", "machinery:MachineryOperationModeStateMachineType")
    plant.variable(other, "CurrentState")
    item = plant.object(press, "State", "machinery:MachineryItemState_StateMachineType")
    plant.variable(item, "CurrentState")
    mode = plant.object(press, "Mode", "machinery:MachineryOperationModeStateMachineType")
    mode_node = plant.variable(mode, "CurrentState")
    (tag,) = only_tags(plant)
    assert tag.keys["mode_node"] == mode_node


def test_two_machines_keep_their_own_values(plant: Plant) -> None:
    line = plant.object(plant.machines, "Line")
    for name in ("A", "B"):
        item = plant.object(
            plant.object(plant.machines, name),
            "State",
            "machinery:MachineryItemState_StateMachineType",
        )
        plant.variable(item, "CurrentState")
    plant.space.add(line, plant.space.nodes[item])
    found = {one.asset.code: [tag.tag for tag in one.tags] for one in recognise(plant.space)}
    assert found["A"] == ["A.state"]
    assert found["B"] == ["B.state"]


def test_only_one_tag_has_a_role_that_an_asset_has_once(plant: Plant) -> None:
    press = plant.object(plant.machines, "Press")
    monitoring = plant.object(press, "Monitoring", "machinery:MonitoringType")
    folder = plant.object(monitoring, "Consumption")
    plant.space.nodes[folder].name = Name(tables.namespaces()["machinery"], "Consumption")
    for name in ("Energy1", "Energy2"):
        plant.variable(folder, name, unit="kWh")
    plant.variable(folder, "Power", unit="kW")
    roles = [(tag.tag, tag.role) for tag in only_tags(plant)]
    assert roles == [
        ("Press.Energy1", "energy"),
        ("Press.Energy2", "process"),
        ("Press.Power", "power"),
    ]
    assert {role for _, role in roles} - {"process"} <= set(SINGLE_ROLES)


def test_the_state_of_a_component_is_not_that_of_the_machine(plant: Plant) -> None:
    press = plant.object(plant.machines, "Press")
    parts = plant.object(press, "Components", "machinery:MachineComponentsType")
    feeder = plant.object(parts, "Feeder")
    item = plant.object(feeder, "State", "machinery:MachineryItemState_StateMachineType")
    plant.variable(item, "CurrentState")
    (proposal,) = recognise(plant.space)
    (tag,) = proposal.tags
    assert (tag.tag, tag.role) == ("Press.Feeder_state", "process")
    assert any("no state" in note for note in proposal.notes)


def test_an_unknown_unit_is_kept_in_words(plant: Plant) -> None:
    signal = plant.object(
        plant.object(plant.machines, "Oven"), "Heat flux", "values:ProcessValueType"
    )
    plant.variable(signal, "padim:AnalogSignal", unit="W/m²")
    (tag,) = only_tags(plant)
    assert (tag.tag, tag.unit) == ("Oven.Heat_flux", "1")
    assert "in W/m², which has no name here" in tag.about


def test_machines_of_one_name_get_codes_that_differ(plant: Plant) -> None:
    plant.object(plant.machines, "Press")
    plant.object(plant.machines, "Press")
    assert [one.asset.code for one in recognise(plant.space)] == ["Press", "Press_2"]


def test_what_a_machine_does_not_tell_is_said(plant: Plant) -> None:
    plant.object(plant.object(plant.machines, "Press"), "Jobs", "jobs:JobManagementType")
    (proposal,) = recognise(plant.space)
    assert any("no state" in note for note in proposal.notes)
    assert any("no count of parts" in note for note in proposal.notes)
    assert any("job orders" in note for note in proposal.notes)


def test_the_plan_part_has_the_buckets_of_the_states_that_are_used(plant: Plant) -> None:
    press = plant.object(plant.machines, "Press")
    item = plant.object(press, "State", "machinery:MachineryItemState_StateMachineType")
    plant.variable(item, "CurrentState")
    part = plan_part(recognise(plant.space))
    assert part["state_maps"] == {"machinery_item_state": states.bucket_map("machinery_item_state")}
    (asset,) = part["assets"]
    assert (asset["code"], asset["kind"], asset["in_oee"]) == ("Press", "machine", True)
    assert asset["tags"][0]["state_map"] == "machinery_item_state"


def test_the_document_shows_the_rules_as_they_are() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    shown = text.partition("<!-- rules -->\n")[2].partition("\n<!-- /rules -->")[0]
    assert shown == tables.markdown()
    assert all(uri in text for uri in tables.specifications())


def test_the_document_names_verbs_options_and_keys_that_exist() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    options = set(re.findall(r"`--([a-z-]+)", text)) | set(re.findall(r" --([a-z-]+) ", text))
    parameters = set(inspect.signature(browse).parameters) | {"json"}
    assert {option.replace("-", "_") for option in options} <= parameters
    keys = {field.name for field in dataclasses.fields(OpcuaTag)}
    named = re.findall(r"`(mode_node|outer_nodes|member|index)(?: = [^`]+)?`", text)
    assert set(named) == {"mode_node", "outer_nodes", "member", "index"}
    assert set(named) <= keys
