"""Named SQL: each statement stands in store/sql/*.sql under `-- name: NAME` with a sentence."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_HEAD = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def all_queries() -> dict[str, LiteralString]:
    """Return every named statement; raises ValueError when two share a name."""
    found: dict[str, LiteralString] = {}
    for path in sorted(files("store").joinpath("sql").iterdir(), key=lambda p: p.name):
        parts = _HEAD.split(path.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"two statements are named {name}")
            # The text is the package's own file, never a user's.
            found[name] = cast(LiteralString, text.strip().rstrip(";"))
    return found


def query(name: str) -> LiteralString:
    """Return the statement of that name; raises KeyError when there is none."""
    return all_queries()[name]
