"""Which transport a gateway file asks for: the one place that knows all of them."""

from collectors.config.file import GatewayConfig
from collectors.sink.timescale import TimescaleTransport
from collectors.sink.transport import Transport


def transport_for(config: GatewayConfig) -> Transport:
    """Return the transport of a gateway file, not connected yet; raises NotSet."""
    if config.sink.kind == "https":
        from collectors.sink.https import HttpsTransport  # its HTTP client is slow to import

        return HttpsTransport(config)
    return TimescaleTransport(config.database_url(), config.gateway.id)
