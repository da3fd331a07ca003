"""Files that only the gateway's account may read: keys, and what decides whom it trusts."""

import os
from pathlib import Path


def save(path: Path, data: bytes) -> None:
    """Replace a file at once, readable by its owner alone; its folders are made when missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
