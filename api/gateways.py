"""Which gateway a request comes from: by its token, or by its client certificate."""

import hashlib
from typing import Annotated
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import Depends, Request

from api.database import TheIngest
from api.peer import SCOPE_KEY
from store import access
from store.errors import AccessDenied

_FINGERPRINT_DIGITS = 64


def client_certificate(request: Request) -> bytes | None:
    """Return the SHA-256 of the client's verified certificate, or None where none came.

    A header is believed only where the server was told that a proxy in front of it sets one.
    """
    header: str | None = request.app.state.certificate_header
    if header is None:
        found = request.scope.get(SCOPE_KEY)
        assert found is None or isinstance(found, bytes)
        return found
    value = request.headers.get(header, "").strip()
    return _from_header(value) if value else None


def _from_header(value: str) -> bytes:
    """Return the SHA-256 from its hexadecimal digits, or of a certificate as URL-encoded PEM."""
    try:
        if value.startswith("-----BEGIN"):
            certificate = x509.load_pem_x509_certificate(unquote(value).encode())
            return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
        digits = value.replace(":", "")
        if len(digits) == _FINGERPRINT_DIGITS:
            return bytes.fromhex(digits)
    except ValueError as error:
        raise AccessDenied(f"the proxy's header holds no certificate: {error}") from error
    raise AccessDenied(
        "the proxy's header holds neither the 64 digits of a SHA-256 nor a URL-encoded PEM"
    )


def _authenticated(request: Request, database: TheIngest) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    fingerprint = client_certificate(request)
    if scheme.lower() == "bearer":
        with database.connection() as conn:
            return access.by_token(conn, token.strip())
    if fingerprint is not None:
        with database.connection() as conn:
            return access.by_certificate(conn, fingerprint)
    raise AccessDenied("neither a token nor a client certificate came; enrol the gateway first")


TheGateway = Annotated[str, Depends(_authenticated)]
