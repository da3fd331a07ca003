"""The file of the gateway's token: readable by its owner alone, replaced whole."""

import os
import time
from contextlib import suppress
from pathlib import Path

from collectors.config.file import GatewayConfig
from collectors.errors import NotSet

_MOST_BYTES = 1000


def token_path(config: GatewayConfig) -> Path:
    """Return where the token lies: by default beside the key."""
    if config.sink.token is not None:
        return config.path.parent / config.sink.token
    return config.key_path.with_name(f"{config.key_path.name}.token")


def read_token(path: Path) -> str | None:
    """Return the token, or None where there is no file; raises NotSet."""
    try:
        token = path.read_bytes()[:_MOST_BYTES].decode("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise NotSet(f"the token {path} cannot be read: {error}") from error
    if not token.isprintable() or not token:
        raise NotSet(f"{path} holds no token; enrol the gateway again with a new code")
    return token


def age_s(path: Path) -> float:
    """Return how long ago the token was written; 0 where it cannot be told."""
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return 0.0


def write_token(path: Path, token: str) -> None:
    """Put a token in place of the one before; raises NotSet and leaves that one then."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{token}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise NotSet(f"the token {path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            draft.unlink()
