"""How to reach a broker: the keys of a gateway file with their secrets and certificates read."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.config.secrets import secret
from collectors.context import Context
from collectors.errors import NotSet
from collectors.mqtt.settings import BrokerTable

_PLAIN_PORT = 1883
_TLS_PORT = 8883


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """All that a session needs to know of its broker; times in seconds.

    tls is None where the file asks for none; a certificate is always verified.
    """

    host: str
    port: int
    client_id: str
    protocol: str
    keepalive_s: int
    timeout_s: float
    receive_maximum: int
    session_expiry_days: int
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None


def connection_of(source: BrokerTable, context: Context) -> Connection:
    """Return how to reach a source's broker; a probe gets a client id of its own.

    Raises NotSet when a password or certificate that the file names is missing.
    """
    return Connection(
        host=source.host,
        port=source.port or (_TLS_PORT if source.tls else _PLAIN_PORT),
        client_id=f"{source.client_id}-probe" if context.probing else source.client_id,
        protocol=source.protocol,
        keepalive_s=source.keepalive_s,
        timeout_s=source.timeout_s,
        receive_maximum=source.receive_maximum,
        session_expiry_days=source.session_expiry_days,
        username=source.username,
        password=secret(context.folder, source.password_env, source.password_file),
        tls=_tls(source, context.folder) if source.tls else None,
    )


class _NamedContext(ssl.SSLContext):
    """Verifies the certificate against a given name instead of the address that is dialled.

    It shakes hands at once: paho does it later, and leaves the socket open where that fails.
    """

    server_name: str | None = None
    timeout_s = 5.0

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        if self.server_name is not None:
            kwargs["server_hostname"] = self.server_name
        wrapped = super().wrap_socket(sock, *args, **kwargs)
        try:
            wrapped.settimeout(self.timeout_s)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped


def _tls(source: BrokerTable, folder: Path) -> ssl.SSLContext:
    """Return TLS 1.2 or newer that verifies certificate and name; both cannot be switched off."""
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.server_name = source.tls_server_name
    context.timeout_s = source.timeout_s
    if source.ca is None:
        context.load_default_certs()
    else:
        _load("ca", folder / source.ca, lambda path: context.load_verify_locations(path))
    if source.certificate is not None:
        key = folder / source.private_key if source.private_key else None
        _load(
            "certificate",
            folder / source.certificate,
            lambda path: context.load_cert_chain(path, key),
        )
    return context


def _load(key: str, path: Path, load: Any) -> None:
    try:
        load(path)
    except (OSError, ValueError) as error:
        reason = f"{path} cannot be used as {key}: {error}"
        raise NotSet(f"{reason}; it must be a PEM file that this account may read") from error
