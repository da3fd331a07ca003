"""What an adapter under test knows of the gateway around it."""

import itertools
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from collectors.context import Context

# Removed with the process; each gateway under test gets a folder of its own in it.
_FOLDERS = tempfile.TemporaryDirectory(prefix="millpond-tests-gateways-")
_numbers = itertools.count(1)


def context(folder: Path | None = None, *, probing: bool = False) -> Context:
    """Return the surroundings of a gateway whose file would lie in a folder, else in a new one."""
    if folder is None:
        folder = Path(_FOLDERS.name) / str(next(_numbers))
        folder.mkdir()
    return Context(ZoneInfo("Asia/Shanghai"), folder, folder / "state", probing)
