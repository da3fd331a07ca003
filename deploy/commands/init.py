"""`millpond collector init`: a first gateway file by a few questions."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from collectors.config import file as config
from collectors.config.fields import timezone as judge_timezone
from collectors.config.schema import SinkTable
from collectors.errors import CollectorError, ConfigRefused
from collectors.modbus.profiles import PROFILES
from collectors.opcua.settings import NO_SECURITY, POLICIES, OpcuaSource
from collectors.starting_file import NewGateway, gateway_toml, source_toml, table_toml
from deploy.commands import browsing

_DATABASE, _CITY = "timescale", "https"
_VARIABLE = "MILLPOND_DATABASE_URL"
_SECURITY = (NO_SECURITY, *POLICIES)
_KINDS = ("opcua", "modbus", "mqtt")
_MOST_SOURCES = 50

Url = Annotated[str | None, typer.Option(metavar="URL", help="Read this OPC UA server.")]


def init(
    file: Annotated[Path, typer.Argument(help="Gateway file to write.")] = Path("gateway.toml"),
    gateway: Annotated[str | None, typer.Option(help="Name of the gateway.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of the factory.")] = None,
    city: Annotated[
        str | None, typer.Option(metavar="URL", help="Send to the city's https address.")
    ] = None,
    database_env: Annotated[
        str | None, typer.Option(help="Variable with the database's address, inside the plant.")
    ] = None,
    opcua: Url = None,
    security: Annotated[str | None, typer.Option(help="Security of the OPC UA server.")] = None,
    modbus: Annotated[
        str | None, typer.Option(metavar="HOST", help="Read a meter at this Modbus TCP host.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Model of the meter.")] = None,
    mqtt: Annotated[
        str | None, typer.Option(metavar="HOST", help="Read the messages of this broker.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Ask a few questions and write a gateway file that `check` accepts.

    Answers that are given as options are not asked for.

    Example: `millpond collector init gateway.toml`
    """
    given = (("opcua", opcua, security), ("modbus", modbus, profile), ("mqtt", mqtt, None))
    try:
        force = force or _may_write(file)
        name = gateway or typer.prompt("Name of the gateway", default="gw-1")
        head = NewGateway(name, timezone or _asked_timezone(), _sink(city, database_env))
        asked = [(kind, at, detail) for kind, at, detail in given if at]
        sources = [_source(_Place(file, name, n), *one) for n, one in enumerate(asked, start=1)]
        text = gateway_toml(head, sources or _asked_sources(file, name))
    except typer.Abort:
        raise CollectorError(
            "the questions were not answered to the end; nothing is written"
        ) from None
    write_checked(file, text, force=force)
    print(f"{file} is written; next: millpond collector probe {file}")


def _may_write(file: Path) -> bool:
    """Ask before a file is overwritten; raises CollectorError when it shall stay."""
    if not file.exists():
        return False
    if not typer.confirm(f"{file} is there already; overwrite it?", default=False):
        raise CollectorError(f"{file} was left as it is")
    return True


def write_checked(file: Path, text: str, *, force: bool) -> None:
    """Write a gateway file and judge it; one that `check` would refuse is told, line by line."""
    browsing.write_new(file, text, force=force)
    if problems := config.check(file):
        raise ConfigRefused(problems)


# --- questions -----------------------------------------------------------------------------------


def _asked_timezone() -> str:
    return str(
        typer.prompt("Time zone of the factory", default="Asia/Shanghai", value_proc=_timezone)
    )


def _timezone(text: str) -> str:
    if wrong := judge_timezone(text):
        raise typer.BadParameter(wrong)
    return text


def _asked_word(question: str, words: tuple[str, ...], default: str) -> str:
    def judged(text: str) -> str:
        if text not in words:
            raise typer.BadParameter(f"one of {', '.join(words)}")
        return text

    return str(typer.prompt(f"{question} ({', '.join(words)})", default=default, value_proc=judged))


def _sink(city: str | None, database_env: str | None) -> Mapping[str, Any]:
    kinds = next(spec.metadata["choices"] for spec in fields(SinkTable) if spec.name == "kind")
    if city is None and database_env is None:
        kind = _asked_word("Where do the data go", kinds, _DATABASE)
        if kind == _CITY:
            city = typer.prompt("Address of the city's server", default="https://")
        else:
            database_env = typer.prompt("Variable with the database's address", default=_VARIABLE)
    if city is not None:
        return {"kind": _CITY, "url": city}
    return {"kind": _DATABASE, "url_env": database_env}


def _asked_sources(file: Path, gateway: str) -> list[str]:
    sources: list[str] = []
    words = (*_KINDS, "done")
    while len(sources) < _MOST_SOURCES:
        question = "What is read" if not sources else "What else is read"
        kind = _asked_word(question, words, "done" if sources else "opcua")
        if kind != "done":
            default = "opc.tcp://127.0.0.1:4840" if kind == "opcua" else "127.0.0.1"
            address = typer.prompt("Its address", default=default)
            place = _Place(file, gateway, len(sources) + 1)
            sources.append(_source(place, kind, address, None))
        elif sources:
            break
        else:
            print("a gateway reads at least one source")
    return sources


# --- sources -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a source will stand: in which file, of which gateway, as the how-manieth."""

    file: Path
    gateway: str
    number: int

    def name(self, kind: str) -> str:
        return f"{kind}-{self.number}"


def _source(place: _Place, kind: str, address: str, detail: str | None) -> str:
    if kind == "opcua":
        return _opcua(place, address, detail)
    if kind == "modbus":
        model = detail or _asked_word("Model of the meter", tuple(PROFILES), next(iter(PROFILES)))
        return _modbus(place, address, model)
    return _mqtt(place, address)


def _opcua(place: _Place, url: str, security: str | None) -> str:
    chosen = security or _asked_word("Its security", _SECURITY, NO_SECURITY)
    source = browsing.source_of_url(url, place.name("opcua"), {"security": chosen})
    if security or typer.confirm("Look at the server now and take what it has?", default=True):
        try:
            return _looked(source, place.file)
        except CollectorError as error:
            print(f"{error}\nthe file gets a tag to be replaced")
    tag = {"tag": f"M{place.number:02}.state", "node": "nsu=urn:example:plant;s=M01.State"}
    comment = f"replace this one; millpond collector browse {place.file} shows what there is"
    return f"{source_toml(source)}\n{table_toml('[[source.tag]]', tag, comment)}"


def _looked(source: OpcuaSource, file: Path) -> str:
    from collectors.opcua.browse import Limits  # the protocol is slow to import
    from collectors.opcua.propose import propose

    proposals = propose(browsing.look(source, browsing.context_for(file), Limits()))
    if not any(each.tags for each in proposals):
        raise CollectorError("the server has no machine of a known specification")
    for each in proposals:
        print(f"{each.asset.name}: {len(each.tags)} tags")
    return source_toml(source, proposals)


def _modbus(place: _Place, host: str, model: str) -> str:
    source = {"name": place.name("modbus"), "kind": "modbus", "host": host}
    device = {"profile": model, "prefix": f"EM{place.number:02}.", "unit_id": 1}
    comment = "one for each meter behind this address; its unit_id tells them apart"
    return _two_tables(source, "[[source.device]]", device, comment)


def _mqtt(place: _Place, host: str) -> str:
    name = place.name("mqtt")
    source = {"name": name, "kind": "mqtt", "host": host, "client_id": f"{place.gateway}-{name}"}
    template = {"topic": "plant/{machine}/{signal}", "tag": "{machine}.{signal}"}
    comment = "each message of such a topic is a number; a JSON message needs value = PATH"
    return _two_tables(source, "[[source.template]]", template, comment)


def _two_tables(
    source: Mapping[str, Any], header: str, below: Mapping[str, Any], comment: str
) -> str:
    return f"{table_toml('[[source]]', source)}\n{table_toml(header, below, comment)}"
