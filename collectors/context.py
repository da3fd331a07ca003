"""What every adapter may know of the gateway around it."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Context:
    """Where a source finds its surroundings.

    zone is that of times without an offset; folder is that of the gateway file, where relative
    paths start; state is a folder for what a source must remember over a restart. A probing
    adapter leaves no trace at the source, nor in the state folder.
    """

    zone: ZoneInfo
    folder: Path
    state: Path
    probing: bool = False
