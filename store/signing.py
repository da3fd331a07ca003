"""Ed25519 signatures of gateways (RFC 8032)."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


def generate_key() -> bytes:
    """Return a new private key as its 32-byte seed."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def public_key(seed: bytes) -> bytes:
    """Return the 32-byte public key of a seed."""
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(seed: bytes, sha256: bytes) -> bytes:
    """Return the 64-byte signature of a batch's hash."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(sha256)


def verify(public: bytes, sha256: bytes, signature: bytes) -> bool:
    """Tell whether the signature of the hash was made with the key's private half."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, sha256)
    except InvalidSignature:
        return False
    return True


def enrolment_proof(gateway: str, code: str, public: bytes) -> bytes:
    """Return what a gateway signs when it enrols; it can never pass for the hash of a batch."""
    return b"\0".join((b"millpond enrolment 1", gateway.encode(), code.encode(), public))
