"""Sending again what the database had refused for good, once the reason for it is gone."""

from collectors.config.file import GatewayConfig
from collectors.errors import SpoolError
from collectors.spool.outbox import Outbox, Signer


def resend(config: GatewayConfig) -> tuple[int, int]:
    """Put all that was set aside back in front; return how many rows and records it was.

    The gateway may be running: it sends them with its next batches. Raises SpoolError where there
    is no spool.
    """
    if not config.spool_path.exists():
        raise SpoolError(f"there is no spool at {config.spool_path}: this gateway has not run yet")
    # Nothing is signed here; the gateway signs what it cuts.
    outbox = Outbox(config.spool_path, Signer(config.gateway.id, config.version, _unsigned))
    try:
        return outbox.take_back()
    finally:
        outbox.close()


def _unsigned(_sha256: bytes) -> bytes:
    raise AssertionError("nothing is cut while batches are put back")
