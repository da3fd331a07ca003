"""Passwords and tokens: never in the gateway file, but in the environment or a file beside it."""

import os
from pathlib import Path

from collectors.errors import NotSet


def secret(folder: Path, variable: str | None, file: str | None) -> str | None:
    """Return what a key `…_env` or `…_file` points at, or None where neither is given.

    Relative paths start at folder. Raises NotSet when it points at nothing.
    """
    if variable is not None:
        if value := os.environ.get(variable):
            return value
        raise NotSet(f"set {variable} in the environment: the gateway file refers to it")
    if file is None:
        return None
    path = folder / file
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotSet(f"{path} cannot be read: the gateway file refers to it ({error})") from error
    if not value:
        raise NotSet(f"{path} is empty: the gateway file refers to it")
    return value
