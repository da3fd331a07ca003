"""The gateway file: read, judged whole, and turned into settings, without any network."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from collectors.config.fields import SourceTable
from collectors.config.lines import Place
from collectors.config.schema import (
    SOURCES,
    GatewayTable,
    MetricsTable,
    SinkTable,
    Source,
    SpoolTable,
)
from collectors.config.tables import Findings, not_allowed, note_unknown_keys, read_table
from collectors.config.toml import read_toml
from collectors.context import Context
from collectors.errors import ConfigRefused, NotSet, Problem

T = TypeVar("T")

_SECTIONS = {name: f"[{name}]" for name in ("gateway", "spool", "sink", "metrics")}
_SECTIONS["source"] = "[[source]]"


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """All settings of a gateway; version names the exact file that they came from."""

    path: Path
    version: str
    gateway: GatewayTable
    spool: SpoolTable
    sink: SinkTable
    metrics: MetricsTable | None
    sources: tuple[Source, ...]

    @property
    def key_path(self) -> Path:
        """Where the signing key lies; relative paths start at the gateway file."""
        return self.path.parent / self.gateway.key

    @property
    def spool_path(self) -> Path:
        """Where the spool lies; relative paths start at the gateway file."""
        return self.path.parent / self.spool.path

    def context(self, *, probing: bool = False) -> Context:
        """Return what the sources may know of this gateway."""
        state = self.spool_path.with_name(f"{self.spool_path.name}.state")
        return Context(ZoneInfo(self.gateway.timezone), self.path.parent, state, probing)

    def database_url(self) -> str:
        """Return the sink's address; raises NotSet when its environment variable is empty."""
        url = self.sink.url or os.environ.get(self.sink.url_env or "", "")
        if not url:
            raise NotSet(f"set {self.sink.url_env} in the environment: it holds the sink's address")
        return url


def check(path: Path) -> list[Problem]:
    """Return all that is wrong with a gateway file, in the order of its lines."""
    return sorted(_read(path)[1], key=lambda problem: problem.line)


def load(path: Path) -> GatewayConfig:
    """Return the settings of a gateway file; raises ConfigRefused with every problem in it."""
    config, problems = _read(path)
    if config is None or problems:
        raise ConfigRefused(sorted(problems, key=lambda problem: problem.line))
    return config


def _read(path: Path) -> tuple[GatewayConfig | None, list[Problem]]:
    try:
        read = read_toml(path)
    except ConfigRefused as error:
        return None, list(error.problems)
    findings = Findings.of(path, read.text)
    version = hashlib.sha256(read.data).hexdigest()[:16]
    return _build(path, version, read.content, findings), findings.problems


def _build(
    path: Path, version: str, raw: dict[str, Any], findings: Findings
) -> GatewayConfig | None:
    meant = note_unknown_keys(raw, _SECTIONS, (), findings)
    gateway = _one(GatewayTable, raw, "gateway", meant, findings)
    spool = _one(SpoolTable, raw, "spool", meant, findings)
    sink = _one(SinkTable, raw, "sink", meant, findings)
    for fault in sink.faults() if sink is not None else ():
        findings.add(("sink", *fault.place), fault.message)
    metrics = _one(MetricsTable, raw, "metrics", {"metrics"}, findings)
    sources = _sources(raw, meant, findings)
    if gateway is None or spool is None or sink is None:
        return None
    return GatewayConfig(path.absolute(), version, gateway, spool, sink, metrics, sources)


def _one(
    cls: type[T], raw: dict[str, Any], name: str, spared: set[str], findings: Findings
) -> T | None:
    """Return a section; those spared may be missing: misspelt, so told already, or optional."""
    if name not in raw:
        if name not in spared:
            findings.add((), f"the file lacks the table [{name}]")
        return None
    return read_table(cls, raw[name], (name,), findings)


def _sources(raw: dict[str, Any], meant: set[str], findings: Findings) -> tuple[Source, ...]:
    tables = raw.get("source")
    if not isinstance(tables, list) or not tables:
        if "source" in raw or "source" not in meant:
            findings.add(("source",), "the file needs at least one [[source]]")
        return ()
    found = [
        (cast(Place, ("source", index)), source)
        for index, table in enumerate(tables)
        if (source := _source(table, ("source", index), findings)) is not None
    ]
    _note_repeats(found, findings)
    for index, (place, source) in enumerate(found):
        _note_source(place, source, findings)
        clashes = (source.clash(earlier) for _, earlier in found[:index])
        if message := next(filter(None, clashes), None):
            findings.add(place, message)
    return tuple(source for _, source in found)


def _source(raw: object, place: Place, findings: Findings) -> Source | None:
    if not isinstance(raw, dict):
        findings.add(place, "source must be written as [[source]]")
        return None
    kind = raw.get("kind")
    if kind is None:
        findings.add(place, f'[[source]] lacks "kind"; allowed: {", ".join(SOURCES)}')
        return None
    if kind not in SOURCES:
        findings.add((*place, "kind"), f'kind = "{kind}" {not_allowed(str(kind), SOURCES)}')
        return None
    # The kinds of SOURCES are the members of Source.
    return cast(Source | None, read_table(SOURCES[kind], raw, place, findings))


def _note_repeats(found: list[tuple[Place, Source]], findings: Findings) -> None:
    names: set[str] = set()
    origins: dict[str, str] = {}
    for place, source in found:
        if source.name in names:
            findings.add((*place, "name"), f'a source named "{source.name}" stands above already')
        names.add(source.name)
        for tag_place, tag in _tag_places(place, source):
            if tag in origins:
                message = f'tag "{tag}" stands above already, in source "{origins[tag]}"'
                findings.add((*tag_place, "tag"), message)
            origins.setdefault(tag, source.name)


def _tag_places(place: Place, source: Source) -> Iterator[tuple[Place, str]]:
    for index, tag in enumerate(source.tags):
        yield (*place, "tag", index), tag.tag


def _note_source(place: Place, source: SourceTable, findings: Findings) -> None:
    if not any(getattr(source, name, ()) for name in ("tags", "templates", "records")):
        findings.add(place, f'source "{source.name}" has nothing to read: add a [[source.tag]]')
    for fault in source.faults():
        findings.add((*place, *fault.place), fault.message)
