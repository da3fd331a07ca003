"""The mapping file: read and judged whole, every problem with its line."""

from dataclasses import dataclass
from pathlib import Path

from collectors.config.lines import Place
from collectors.config.tables import Findings, note_unknown_keys, read_table
from collectors.config.toml import read_toml
from collectors.errors import ConfigRefused, Problem
from collectors.history.settings import HistoryFile

_MOST_FILES = 10_000


@dataclass(frozen=True, slots=True)
class Mapping:
    """The tables of a mapping file, and the folder where their files start."""

    path: Path
    files: tuple[HistoryFile, ...]

    def found(self) -> list[tuple[Path, HistoryFile]]:
        """Return every file that there is, with its table; raises ConfigRefused without any."""
        folder = self.path.parent
        pairs = [(path, table) for table in self.files for path in sorted(folder.glob(table.files))]
        missing = [
            Problem(self.path, 0, f'there is no file "{table.files}" in {folder}')
            for table in self.files
            if not any(other is table for _, other in pairs)
        ]
        if missing:
            raise ConfigRefused(missing)
        if len(pairs) > _MOST_FILES:
            raise ConfigRefused([Problem(self.path, 0, f"more than {_MOST_FILES:,} files at once")])
        return pairs


def load(path: Path) -> Mapping:
    """Return what a mapping file says; raises ConfigRefused with every problem in it."""
    read = read_toml(path)
    raw, findings = read.content, Findings.of(path, read.text)
    meant = note_unknown_keys(raw, {"file": "[[file]]"}, (), findings)
    tables = raw.get("file")
    if not isinstance(tables, list) or not tables:
        if "file" in raw or not meant:
            findings.add((), "the file needs at least one [[file]]")
        tables = []
    files = [_file(table, ("file", index), findings) for index, table in enumerate(tables)]
    if findings.problems:
        raise ConfigRefused(sorted(findings.problems, key=lambda problem: problem.line))
    return Mapping(path.absolute(), tuple(one for one in files if one is not None))


def _file(raw: object, place: Place, findings: Findings) -> HistoryFile | None:
    table = read_table(HistoryFile, raw, place, findings)
    if table is not None:
        for fault in table.faults():
            findings.add((*place, *fault.place), fault.message)
    return table
