"""The gateway's signing key: made on first start, readable by its owner alone."""

import getpass
import os
import socket
from pathlib import Path

from collectors.errors import NotSet
from store.signing import generate_key

_SEED_BYTES = 32


def load_or_make_key(path: Path) -> bytes:
    """Return the Ed25519 seed in a file, after making both where the file is missing."""
    try:
        seed = path.read_bytes()
    except FileNotFoundError:
        return _make_key(path)
    except OSError as error:
        raise NotSet(f"the key {path} cannot be read: {error.strerror}") from error
    if len(seed) != _SEED_BYTES:
        raise NotSet(f"{path} is not a gateway key; move it away and enrol the gateway again")
    return seed


def _make_key(path: Path) -> bytes:
    seed = generate_key()
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(seed)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: of two first starts at once, one key stays and both use it.
        os.link(draft, path)
    except FileExistsError:
        return path.read_bytes()
    except OSError as error:
        raise NotSet(f"the key {path} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return seed


def who() -> str:
    """Return who runs this process and where, for the record of what was done."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in many containers
        name = f"uid {os.getuid()}"
    return f"{name}@{socket.gethostname()}"
