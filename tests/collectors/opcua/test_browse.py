"""Walking through a real server within limits, and what is written of it."""

import asyncio
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from asyncua import ua

from collectors.config.file import check, load
from collectors.context import Context
from collectors.errors import SourceUnreachable
from collectors.opcua.address_space import AddressSpace
from collectors.opcua.browse import Limits
from collectors.opcua.look import look, offers
from collectors.opcua.propose import propose
from collectors.opcua.settings import OpcuaSource
from collectors.opcua.shown import shown
from collectors.proposal import Asset, Proposal, ProposedTag
from collectors.starting_file import NewGateway, gateway_toml, source_toml
from deploy.commands.browse import name_of
from tests.collectors.servers import NAMESPACE, LoopThread, OpcuaServer, loop_thread, opcua_server
from tests.support.ports import free_port

MANY = 600
BAD_SENSOR = 0x808C0000


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    with loop_thread() as opened:
        yield opened


@pytest.fixture(scope="module")
def server(loop: LoopThread) -> Iterator[OpcuaServer]:
    values = {f"N{number:03}": ua.Variant(number, ua.VariantType.Int32) for number in range(MANY)}
    values["Text"] = ua.Variant("示例", ua.VariantType.String)
    values["Speed"] = ua.Variant(1450.5, ua.VariantType.Double)
    values["Broken"] = ua.Variant(1.0, ua.VariantType.Double)
    with opcua_server(loop, free_port(), values) as running:
        running.write("Broken", None, status=BAD_SENSOR)
        yield running


def source(url: str) -> OpcuaSource:
    return OpcuaSource(name="line1", kind="opcua", url=url, security="none", timeout_s=20)


def walk(url: str, folder: Path, limits: Limits | None = None) -> AddressSpace:
    context = Context(ZoneInfo("UTC"), folder, folder / "state", probing=True)
    return asyncio.run(look(source(url), context, limits or Limits(), lambda _nodes: None))


def test_a_variable_shows_type_value_access_and_status(server: OpcuaServer, tmp_path: Path) -> None:
    space = walk(server.url, tmp_path)
    assert space.is_complete
    speed = space.nodes[f"nsu={NAMESPACE};s=Speed"]
    assert (speed.data_type, speed.value, speed.access, speed.status) == (
        "Double", "1450.5", "r", "Good",
    )  # fmt: skip
    assert space.path(speed) == ("Speed",)
    broken = space.nodes[f"nsu={NAMESPACE};s=Broken"]
    assert (broken.value, broken.status) == (None, "BadSensorFailure")
    text = space.nodes[f"nsu={NAMESPACE};s=Text"]
    assert (text.value, text.is_number) == ("示例", False)


def test_the_server_itself_is_not_a_machine(server: OpcuaServer, tmp_path: Path) -> None:
    space = walk(server.url, tmp_path)
    assert not [node for node in space.nodes.values() if node.address.startswith("i=")]


def test_a_server_with_more_nodes_than_the_limit_is_left_at_the_limit(
    server: OpcuaServer, tmp_path: Path
) -> None:
    space = walk(server.url, tmp_path, Limits(nodes=100))
    assert (len(space.nodes), space.is_complete) == (100, False)


def test_a_depth_that_ends_the_walk_is_told(server: OpcuaServer, tmp_path: Path) -> None:
    assert not walk(server.url, tmp_path, Limits(depth=1)).is_complete


def test_matching_nodes_become_a_file_that_is_accepted(server: OpcuaServer, tmp_path: Path) -> None:
    space = walk(server.url, tmp_path)
    proposals = propose(space, "N00?")
    gateway = NewGateway("gw-1", "Asia/Shanghai", {"kind": "timescale", "url_env": "DATABASE"})
    path = tmp_path / "gateway.toml"
    path.write_text(gateway_toml(gateway, [source_toml(source(server.url), proposals)]), "utf-8")
    assert check(path) == []
    (written,) = load(path).sources
    assert [tag.tag for tag in written.tags] == [f"Objects.N{number:03}" for number in range(10)]


def test_texts_and_objects_are_no_tags(server: OpcuaServer, tmp_path: Path) -> None:
    assert propose(walk(server.url, tmp_path), "Text") == []


def test_nothing_recognised_gives_no_proposal(server: OpcuaServer, tmp_path: Path) -> None:
    assert propose(walk(server.url, tmp_path)) == []


def test_what_a_server_offers_is_told(server: OpcuaServer) -> None:
    assert asyncio.run(offers(server.url, 5.0)) == ["none"]


def test_a_server_that_is_not_there_is_told_with_its_address(tmp_path: Path) -> None:
    url = f"opc.tcp://127.0.0.1:{free_port()}"
    with pytest.raises(SourceUnreachable, match=f"{url} cannot be browsed"):
        walk(url, tmp_path)
    with pytest.raises(SourceUnreachable, match=f"{url} cannot be browsed"):
        asyncio.run(offers(url, 1.0))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("opc.tcp://10.0.0.5:4840", "10-0-0-5"),
        ("opc.tcp://press-1.plant/OPCUA", "press-1-plant"),
        ("opc.tcp://示例:4840", "opcua"),
    ],
)
def test_a_new_source_has_the_name_of_its_host(url: str, name: str) -> None:
    assert name_of(url) == name


# --- texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ua.LocalizedText("运行"), "运行"),
        (True, "true"),
        (81.50, "81.5"),
        ([1, 2, 3, 4, 5], "[1, 2, 3, 4, …]"),
        (ua.Range(0, 100), "0 … 100"),
        (b"abc", "3 bytes"),
        ("a\nb", "a b"),
        (ua.Argument(), "(Argument)"),
    ],
)
def test_a_value_is_shown_in_one_short_line(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_long_text_is_cut() -> None:
    assert len(shown("x" * 500)) == 60


def test_what_a_server_sends_cannot_break_out_of_its_comment_or_text() -> None:
    evil = 'x"\n[sink]\nkind = "other\x7f\u2028'
    tag = ProposedTag(evil, "process", "1", {"node": f"nsu={evil};i=1"}, None, evil, evil)
    found = Proposal(Asset(evil, evil, "machine", evil), (tag,), (evil,))
    written = tomllib.loads(source_toml(source("opc.tcp://127.0.0.1:4840"), [found]))
    assert set(written) == {"source"}
    assert written["source"][0]["tag"][0]["tag"] == evil
