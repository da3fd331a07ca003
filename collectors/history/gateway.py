"""The gateway that an import is: an identity beside that of the live one, with its own spool.

The batches of one gateway form one chain, which two processes could not continue side by side.
"""

from dataclasses import replace

from collectors.config.file import GatewayConfig

_BATCH_SECONDS = 0.05


def import_gateway(config: GatewayConfig) -> GatewayConfig:
    """Return the settings of the import gateway that belongs to a live one."""
    gateway, spool, sink = config.gateway, config.spool, config.sink
    token = None if sink.token is None else f"{sink.token}.import"
    return replace(
        config,
        gateway=replace(gateway, id=f"{gateway.id}-import", key=f"{gateway.key}.import"),
        # What waits here was read from files that still lie there: nothing of it grows too old.
        spool=replace(spool, path=f"{spool.path}.import", max_age_days=3660.0),
        sink=replace(sink, batch_seconds=_BATCH_SECONDS, token=token),
    )
