"""Small files in a gateway's state folder: what a source must remember over a restart."""

import json
import os
from pathlib import Path
from typing import Any


def load_state(path: Path) -> Any:
    """Return the content of a state file, None where there is none; raises OSError, ValueError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def save_state(path: Path, content: Any) -> None:
    """Replace a state file, whole or not at all, making its folder; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    os.replace(fresh, path)
