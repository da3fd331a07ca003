"""Which server is trusted: the one that the file pins, else the one that was met first."""

import re
from pathlib import Path
from urllib.parse import urlparse

from collectors.context import Context
from collectors.errors import SourceError
from collectors.opcua.certificates import fingerprint, read_certificate
from collectors.opcua.settings import OpcuaSource
from collectors.opcua.settings import fingerprint as plain_fingerprint
from collectors.private_file import save

_FOLDER = "trusted"


class SourceUntrusted(SourceError):
    """The server is not the one that is trusted; see the message before trusting it."""


def check_server(source: OpcuaSource, context: Context, offered: bytes) -> None:
    """Accept a server's certificate (DER) or raise SourceUntrusted, which says what to do.

    Without a pin the first certificate is remembered; a probing gateway remembers nothing.
    """
    if source.server_certificate is not None:
        pinned = context.folder / source.server_certificate
        _compare(offered, fingerprint(read_certificate(pinned)), f"{pinned} pins", _REPIN)
    elif source.server_fingerprint is not None:
        wanted = plain_fingerprint(source.server_fingerprint)
        _compare(offered, wanted, "server_fingerprint pins", _REPIN)
    else:
        _trust_first(memory_of(source, context.state), context, offered)


def memory_of(source: OpcuaSource, state: Path) -> Path:
    """Return where the certificate of a server is remembered, by its address."""
    address = urlparse(source.url).netloc
    return state / "opcua" / _FOLDER / f"{re.sub(r'[^A-Za-z0-9.-]', '_', address)}.der"


_REPIN = "if the server was given a new certificate on purpose, put that one into the gateway file"


def _trust_first(memory: Path, context: Context, offered: bytes) -> None:
    if memory.exists():
        advice = f"if the server was given a new certificate on purpose, delete {memory}"
        known = fingerprint(read_certificate(memory))
        _compare(offered, known, "the first connection showed", advice)
    elif not context.probing:
        save(memory, offered)


def _compare(offered: bytes, wanted: str, origin: str, advice: str) -> None:
    shown = fingerprint(offered)
    if shown != wanted:
        raise SourceUntrusted(
            f"the server shows another certificate (SHA-256 {shown}) than {origin} ({wanted}): "
            f"{advice}; otherwise somebody stands between gateway and server"
        )
