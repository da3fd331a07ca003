"""The shipped scenario files, and what a wrong one is answered with."""

import copy
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from simulators import scenarios
from simulators.encoding import register_count
from simulators.errors import ScenarioError
from simulators.model import Register, Scenario
from simulators.reading import read


@pytest.fixture
def table() -> dict[str, Any]:
    text = (files("simulators.scenarios") / "machining.toml").read_text(encoding="utf-8")
    return copy.deepcopy(tomllib.loads(text))


@pytest.mark.parametrize("name", scenarios.names())
def test_a_scenario_carries_its_own_name(name: str) -> None:
    assert scenarios.load(name).name == name


def test_an_unknown_scenario_lists_those_there_are() -> None:
    with pytest.raises(ScenarioError, match="machining, fibre"):
        scenarios.load("bakery")


@pytest.mark.parametrize("name", scenarios.names())
def test_registers_of_a_unit_do_not_overlap(name: str) -> None:
    taken: set[tuple[int, str, int]] = set()
    for meter in scenarios.load(name).meter:
        for register in (meter.energy, meter.power):
            if register is not None:
                words = _words(register)
                assert not words & taken, meter.code
                taken |= words


@pytest.mark.parametrize("name", scenarios.names())
def test_states_cover_every_state_of_the_physics(name: str) -> None:
    for states in scenarios.load(name).states.values():
        assert set(states.values()) == {"idle", "run", "setup", "stop", "planned_down"}


@pytest.mark.parametrize("name", scenarios.names())
def test_sub_meters_stay_below_the_entry(name: str) -> None:
    scenario = scenarios.load(name)
    entry = [m for m in scenario.meter if m.carrier == "electricity" and m.level == 1]
    assert len(entry) == 1
    for meter in scenario.meter:
        if meter.carrier == "electricity" and meter.level > 1:
            for consumer, share in meter.feeds.items():
                assert share < entry[0].feeds[consumer]


def test_both_word_orders_of_a_float_occur() -> None:
    for name in scenarios.names():
        powers = [m.power for m in scenarios.load(name).meter if m.power is not None]
        assert {power.order for power in powers} == {"ABCD", "CDAB"}


def test_a_missing_key_is_named(table: dict[str, Any]) -> None:
    del table["factory"]["region"]
    with pytest.raises(ScenarioError, match=r"machining\.factory: key 'region' is missing"):
        read(Scenario, table, "machining")


def test_an_unknown_key_is_named_with_the_allowed_ones(table: dict[str, Any]) -> None:
    table["equipment"][2]["colour"] = "blue"
    with pytest.raises(ScenarioError, match=r"equipment\[2\]: unknown key 'colour'.*serial"):
        read(Scenario, table, "machining")


def test_a_value_of_the_wrong_kind_is_shown(table: dict[str, Any]) -> None:
    table["seed"] = "many"
    with pytest.raises(ScenarioError, match="seed: expected int, found 'many'"):
        read(Scenario, table, "machining")


def _words(register: Register) -> set[tuple[int, str, int]]:
    count = register_count(register.type)
    return {(register.unit_id, register.table, register.address + step) for step in range(count)}
