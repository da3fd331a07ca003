"""The verbs of the `millpond` command, and running one as a person does."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import typer.main

from deploy.cli import app, run

_EXAMPLE = re.compile(r"^Example: `millpond (?P<words>[^`]+)`$", re.MULTILINE)


@dataclass(frozen=True)
class Verb:
    """One verb: the words that name it, and what Typer knows of it."""

    path: tuple[str, ...]
    command: Any

    def __str__(self) -> str:
        return " ".join(self.path)

    def example(self) -> list[str]:
        """Return the words behind `millpond` in the example of its help, up to a redirection."""
        found = _EXAMPLE.search(self.command.help or "")
        assert found, f"the help of {self} has no line such as: Example: `millpond {self} ...`"
        return shlex.split(found["words"].partition(" > ")[0])


def verbs() -> list[Verb]:
    """Return every verb of every group."""
    return list(_below((), typer.main.get_command(app)))


def _below(path: tuple[str, ...], command: Any) -> Iterator[Verb]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield Verb(path, command)
        return
    for name, each in inner.items():
        yield from _below((*path, name), each)


@dataclass(frozen=True)
class Said:
    """What a run of the command gave."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The only line on standard error; nothing else may have been said."""
        lines = self.err.splitlines()
        assert len(lines) == 1, f"one plain line was due, not: {self.err}"
        assert self.out == ""
        return lines[0]


def millpond(capsys: pytest.CaptureFixture[str], *words: object) -> Said:
    """Run the command in this process."""
    capsys.readouterr()
    code = run([str(word) for word in words])
    out, err = capsys.readouterr()
    return Said(code, out, err)
