"""What an adapter under test knows of the gateway around it."""

from pathlib import Path
from zoneinfo import ZoneInfo

from collectors.context import Context


def context(folder: Path = Path("nowhere"), *, probing: bool = False) -> Context:
    """Return the surroundings of a gateway whose file would lie in a folder."""
    return Context(ZoneInfo("Asia/Shanghai"), folder, folder / "state", probing)
