"""A first gateway file by questions, answered on standard input as a person would."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from asyncua import ua

from collectors.config.file import check, load
from collectors.modbus.profiles import PROFILES
from collectors.starting_file import toml_value
from tests.collectors.servers import LoopThread, loop_thread, opcua_server
from tests.deploy.command import Said, millpond
from tests.support.ports import free_port

HEAD = ("gw-7", "Asia/Shanghai", "timescale", "PLANT_DATABASE")


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    with loop_thread() as opened:
        yield opened


class Person:
    """Someone in front of a terminal, in a folder of their own."""

    def __init__(
        self,
        folder: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.path = folder / "gateway.toml"
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def init(self, *answers: str, options: tuple[str, ...] = ()) -> Said:
        """Call the verb and type these answers, each with Return; then nothing more comes."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{one}\n" for one in answers)))
        return millpond(self._capsys, "collector", "init", self.path, *options)


@pytest.fixture
def person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Person:
    return Person(tmp_path, capsys, monkeypatch)


def test_the_answers_stand_in_a_file_that_is_accepted(person: Person) -> None:
    said = person.init(*HEAD, "modbus", "10.0.0.9", "", "mqtt", "10.0.0.10", "done")
    assert said.code == 0, said.err
    assert check(person.path) == []
    written = load(person.path)
    assert (written.gateway.id, written.gateway.timezone) == ("gw-7", "Asia/Shanghai")
    assert (written.sink.kind, written.sink.url_env) == ("timescale", "PLANT_DATABASE")
    assert [source.kind for source in written.sources] == ["modbus", "mqtt"]
    assert f"millpond collector probe {person.path}" in said.out


def test_return_alone_takes_the_defaults(person: Person) -> None:
    said = person.init("", "", "", "", "mqtt", "", "")
    assert said.code == 0, said.err
    assert load(person.path).sink.url_env == "MILLPOND_DATABASE_URL"


def test_two_sources_of_a_kind_do_not_collide(person: Person) -> None:
    twice = ("modbus", "10.0.0.9", "", "modbus", "10.0.0.11", "", "mqtt", "b1", "mqtt", "b2")
    assert person.init(*HEAD, *twice, "done").code == 0
    assert check(person.path) == []


def test_a_wrong_answer_is_asked_for_again(person: Person) -> None:
    answers = ("gw-7", "Mars/Olympus", "Asia/Shanghai", "floppy", "timescale", "DATABASE")
    said = person.init(*answers, "done", "opcau", "mqtt", "broker", "done")
    assert said.code == 0, said.err
    assert check(person.path) == []
    assert "tz database" in said.out + said.err
    assert "a gateway reads at least one source" in said.out


def test_a_server_that_is_not_there_leaves_a_tag_to_be_replaced(person: Person) -> None:
    url = f"opc.tcp://127.0.0.1:{free_port()}"
    said = person.init(*HEAD, "opcua", url, "none", "y", "done")
    assert said.code == 0, said.err
    assert f"{url} cannot be browsed" in said.out
    assert check(person.path) == []
    assert "# replace this one" in person.path.read_text(encoding="utf-8")


def test_a_server_without_known_machines_leaves_a_tag_to_be_replaced(
    person: Person, loop: LoopThread
) -> None:
    port = free_port()
    with opcua_server(loop, port, {"State": ua.Variant(3, ua.VariantType.Int32)}):
        said = person.init(*HEAD, "opcua", f"opc.tcp://127.0.0.1:{port}", "none", "y", "done")
    assert said.code == 0, said.err
    assert "no machine of a known specification" in said.out
    assert check(person.path) == []


def test_nothing_is_asked_that_the_options_say(person: Person) -> None:
    options = ("--gateway", "gw-2", "--timezone", "Asia/Urumqi", "--database-env", "DATABASE")
    said = person.init(options=(*options, "--mqtt", "broker", "--modbus", "10.0.0.9",
                                "--profile", next(iter(PROFILES))))  # fmt: skip
    assert said.code == 0, said.err
    assert said.out == f"{person.path} is written; next: millpond collector probe {person.path}\n"
    assert load(person.path).gateway.timezone == "Asia/Urumqi"


def test_data_may_go_to_the_city(person: Person) -> None:
    options = ("--gateway", "gw-2", "--timezone", "Asia/Shanghai", "--mqtt", "broker")
    said = person.init(options=(*options, "--city", "https://city.example"))
    assert said.code == 0, said.err
    assert load(person.path).sink.kind == "https"


def test_a_file_that_is_there_is_overwritten_only_when_told(person: Person) -> None:
    person.path.write_text("mine")
    said = person.init("n")
    assert (said.code, person.path.read_text()) == (1, "mine")
    assert "was left as it is" in said.err
    assert person.init("y", *HEAD, "mqtt", "broker", "done").code == 0
    assert check(person.path) == []


def test_answers_that_stop_leave_no_file(person: Person) -> None:
    assert person.init("gw-7").code != 0
    assert not person.path.exists()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (0.5, "0.5"),
        ('a "b"\n', '"a \\"b\\"\\n"'),
        ({"RUN": 1}, '{ "RUN" = 1 }'),
        (["i=1", "i=2"], '["i=1", "i=2"]'),
        ("\x7f", '"\\u007f"'),
    ],
)
def test_values_are_written_as_toml(value: object, text: str) -> None:
    assert toml_value(value) == text
