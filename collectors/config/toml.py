"""Reading a TOML file as people save it: what is wrong with it has its line."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.errors import ConfigRefused, Problem

_PLACE = re.compile(r"(?P<what>.*?) \((?:at line (?P<line>\d+), column \d+|at end of document)\)")
# How the standard library says that a key stands in one table twice.
_TWICE = "Cannot overwrite a value"


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A file's bytes, its text, and what it says."""

    data: bytes
    text: str
    content: dict[str, Any]


def read_toml(path: Path) -> TomlFile:
    """Return what a TOML file holds; raises ConfigRefused with one problem.

    A byte order mark, which editors on Windows write, is no part of the text.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
        return TomlFile(data, text, tomllib.loads(text))
    except OSError as error:
        problem = Problem(path, 0, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problem = Problem(path, line, "is not UTF-8; save the file as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problem = _syntax_problem(path, text, str(error))
    raise ConfigRefused([problem])


def _syntax_problem(path: Path, text: str, message: str) -> Problem:
    found = _PLACE.fullmatch(message)
    if found is None:
        return Problem(path, 0, f"is not TOML: {message}")
    line = int(found["line"]) if found["line"] else len(text.removesuffix("\n").split("\n"))
    what = "this key has a value already" if found["what"] == _TWICE else found["what"]
    return Problem(path, line, f"is not TOML: {what}")
