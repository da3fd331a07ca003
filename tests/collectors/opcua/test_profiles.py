"""Server profiles: the table is sound, build info finds its row, reported limits bound it."""

import re

import pytest
from asyncua.crypto import security_policies

from collectors.opcua.profiles import AUTO, names, profile_for, table
from collectors.opcua.settings import POLICIES


def test_the_table_is_sound() -> None:
    assert len(set(names())) == len(names())
    assert AUTO not in names()
    for profile in table():
        assert profile.source
        assert re.compile(profile.pattern)
        assert 1 <= profile.items_per_call <= profile.items_per_subscription
        assert profile.nodes_per_read >= 1
        assert profile.max_items == 0 or profile.max_items >= profile.items_per_subscription


@pytest.mark.parametrize(
    ("build_info", "name"),
    [
        ("SIMATIC S7-1200 https://www.siemens.com/s7-1200 Siemens AG", "s7-1200"),
        ("CPU 1211C Siemens AG 1200", "s7-1200"),
        ("SIMATIC.S7-1500.OPC-UA.Application:PLC_1 Siemens AG", "s7-1500"),
        ("Ignition OPC UA Server Inductive Automation", "ignition"),
        ("KEPServerEX Kepware", "kepware"),
        ("SimulationServer Prosys OPC Ltd", "prosys"),
        ("Interop 示例厂商", "unknown"),
        ("", "unknown"),
    ],
)
def test_build_info_finds_its_profile(build_info: str, name: str) -> None:
    assert profile_for(AUTO, build_info).name == name


def test_a_named_profile_needs_no_build_info() -> None:
    assert profile_for("s7-1200", "Prosys").max_items == 1000


def test_the_smaller_limit_counts() -> None:
    profile = profile_for("s7-1500", "")
    assert profile.bounded(items_per_call=20, nodes_per_read=10_000).items_per_call == 20
    assert profile.bounded(items_per_call=20, nodes_per_read=10_000).nodes_per_read == 500
    assert profile.bounded(items_per_call=0, nodes_per_read=None) == profile


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_is_the_librarys(policy: str) -> None:
    found = getattr(security_policies, f"SecurityPolicy{policy}").URI
    assert found.rpartition("#")[2].replace("_", "") == policy
