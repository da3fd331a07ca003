"""Certificates and keys in files: those that are given, and the gateway's own, which are made.

The application URI stands in the certificate, and the session must show the same one (OPC 10000-4,
6.1.3), so it is always taken from the certificate.
"""

import hashlib
import socket
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asyncua.crypto.cert_gen import generate_self_signed_app_certificate
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from collectors.errors import NotSet
from collectors.private_file import save

_VALID_DAYS = 3650
_WARNING = timedelta(days=30)
_KEY_BITS = 2048
_CERTIFICATE = "certificate.der"
_KEY = "private_key.pem"
_PEM = b"-----BEGIN"


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate (DER) with its private key (PEM), and the file that a server can be shown."""

    certificate: bytes
    private_key: bytes
    path: Path | None

    @property
    def uri(self) -> str:
        """The application URI that the certificate names; empty without one."""
        try:
            names = x509.load_der_x509_certificate(self.certificate).extensions
            found = names.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return ""
        uris = found.get_values_for_type(x509.UniformResourceIdentifier)
        return uris[0] if uris else ""

    def warning(self, now: datetime) -> str | None:
        """Return what to say when the certificate expires within 30 days or has expired."""
        ends = x509.load_der_x509_certificate(self.certificate).not_valid_after_utc
        if ends - now > _WARNING:
            return None
        verb = "expired" if ends <= now else "expires"
        return f"the certificate {self.path} {verb} on {ends:%Y-%m-%d}; replace it"


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate (DER) as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(certificate).hexdigest()


def read_certificate(path: Path) -> bytes:
    """Return a certificate from a PEM or DER file as DER; raises NotSet when it holds none."""
    data = _read(path)
    try:
        loaded = (
            x509.load_pem_x509_certificate(data)
            if _PEM in data
            else x509.load_der_x509_certificate(data)
        )
    except ValueError as error:
        raise NotSet(f"{path} holds no certificate in PEM or DER: {error}") from error
    return loaded.public_bytes(serialization.Encoding.DER)


def read_key(path: Path) -> bytes:
    """Return an RSA key from a PEM or DER file as PEM; raises NotSet when it holds none."""
    data = _read(path)
    load = serialization.load_pem_private_key
    if _PEM not in data:
        load = serialization.load_der_private_key
    try:
        key = load(data, password=None)
    except (ValueError, TypeError) as error:
        raise NotSet(f"{path} holds no private key without a password: {error}") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise NotSet(f"{path} holds no RSA key, which is what OPC UA's policies use")
    return _pem(key)


def given_identity(certificate: Path, private_key: Path) -> Identity:
    """Return a certificate and its key from their files; raises NotSet when they do not fit."""
    identity = Identity(read_certificate(certificate), read_key(private_key), certificate)
    key = serialization.load_pem_private_key(identity.private_key, password=None)
    if x509.load_der_x509_certificate(identity.certificate).public_key() != key.public_key():
        raise NotSet(f"{private_key} is not the key of {certificate}; name the pair that is")
    return identity


def own_identity(folder: Path, *, keep: bool) -> Identity:
    """Return the gateway's own certificate from its folder, made there when it is missing.

    Without keep nothing is written, and a made one lives as long as the process. It is valid for
    10 years and only its owner can read the key.
    """
    if (folder / _CERTIFICATE).exists():
        return given_identity(folder / _CERTIFICATE, folder / _KEY)
    made = _made()
    if not keep:
        return made
    # The key first: a stop in between leaves no certificate without its key.
    save(folder / _KEY, made.private_key)
    save(folder / _CERTIFICATE, made.certificate)
    return Identity(made.certificate, made.private_key, folder / _CERTIFICATE)


def _made() -> Identity:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    uri = f"urn:millpond:gateway:{uuid.uuid4()}"
    names = [x509.UniformResourceIdentifier(uri), x509.DNSName(socket.gethostname())]
    usage = [ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = generate_self_signed_app_certificate(
        key, "Millpond gateway", {}, names, usage, _VALID_DAYS
    )
    return Identity(certificate.public_bytes(serialization.Encoding.DER), _pem(key), None)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotSet(f"{path} cannot be read: the gateway file refers to it ({error})") from error


def now() -> datetime:
    """Return the time of this machine, by which certificates are judged."""
    return datetime.now(UTC)
