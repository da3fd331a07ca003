"""Making a gateway known, so that its batches are taken: at the database, or at the city."""

import json

import store
from collectors.config.file import GatewayConfig
from collectors.errors import EnrolmentFailed, SinkUnavailable
from collectors.identity import load_or_make_key, who
from store.registry import register_gateway
from store.signing import enrolment_proof, public_key, sign


def enrol(config: GatewayConfig, factory_code: str) -> str:
    """Register the gateway's public key for a factory and return the key in hexadecimal.

    Makes the key where there is none. Raises EnrolmentFailed for a file whose sink is the city,
    UnknownFactory, or StoreUnavailable.
    """
    if config.sink.kind != "timescale":
        raise EnrolmentFailed(
            "this gateway sends to the city, which gives out a code: enrol it with --code CODE"
        )
    public = public_key(load_or_make_key(config.key_path))
    with store.connect(config.database_url()) as conn:
        register_gateway(conn, factory_code, config.gateway.id, public, actor=who())
    return public.hex()


def enrol_by_code(config: GatewayConfig, code: str) -> str:
    """Register the gateway's public key at the city and return the key in hexadecimal.

    Makes the key where there is none and keeps the token that the city gives. Raises
    EnrolmentFailed when the city cannot be reached or the file's sink is a database, and
    EnrolmentRefused when the code is worth nothing.
    """
    from collectors.sink.city import City  # its HTTP client is slow to import
    from collectors.sink.clock import ClockWatch
    from collectors.sink.token import token_path, write_token

    if config.sink.kind != "https":
        raise EnrolmentFailed(
            "this gateway writes into the database itself: enrol it with --factory CODE"
        )
    seed = load_or_make_key(config.key_path)
    public, gateway = public_key(seed), config.gateway.id
    asked = {
        "gateway": gateway,
        "code": code,
        "public_key": public.hex(),
        "signature": sign(seed, enrolment_proof(gateway, code, public)).hex(),
    }
    try:
        with City(config, ClockWatch()) as city:
            token = city.post("enrolments", json.dumps(asked).encode()).body.get("token")
    except SinkUnavailable as error:
        raise EnrolmentFailed(f"the city does not enrol this gateway: {error}") from error
    path = token_path(config)
    if isinstance(token, str):
        write_token(path, token)
    else:
        # The client certificate counts now; an old token would be shown first and refused.
        path.unlink(missing_ok=True)
    return public.hex()
