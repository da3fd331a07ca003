"""Making a gateway known to the database, so that its batches are taken."""

import store
from collectors.config.file import GatewayConfig
from collectors.identity import load_or_make_key
from store.registry import register_gateway
from store.signing import public_key


def enrol(config: GatewayConfig, factory_code: str) -> str:
    """Register the gateway's public key for a factory and return the key in hexadecimal.

    Makes the key where there is none. Raises UnknownFactory, or StoreUnavailable.
    """
    public = public_key(load_or_make_key(config.key_path))
    with store.connect(config.database_url()) as conn:
        register_gateway(conn, factory_code, config.gateway.id, public)
    return public.hex()
