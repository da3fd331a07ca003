"""Letting gateways in over HTTPS and shutting them out: one-time codes, tokens, certificates.

A code is spent on one public key. Of codes and tokens the database keeps only hashes; both are
random, so that a plain SHA-256 is as good as a slow one.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.errors import (
    AccessDenied,
    BadSignature,
    EnrolmentRefused,
    GatewayRevoked,
    Refused,
    UnknownGateway,
)
from store.queries import query
from store.registry import factory_by_code, register_gateway
from store.signing import enrolment_proof, verify

# Crockford's base 32: nothing that a person could mistake for something else.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("OIL", "011", " -")
_GROUPS, _GROUP_LENGTH = 5, 4  # 100 bits
_ATTEMPTS = 10
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a gateway asks with: signature proves that it has the private half of public_key."""

    gateway: str
    code: str
    public_key: bytes
    signature: bytes


def make_enrolment_code(
    conn: Connection,
    factory: str,
    gateway: str,
    *,
    actor: str,
    hours: int = 24,
    by_certificate: bool = False,
) -> str:
    """Return a code that enrols one gateway once; earlier codes of that gateway become void.

    by_certificate lets it come with a client certificate instead of a token. Raises UnknownFactory,
    or Refused for a gateway of another factory.
    """
    letters = [secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP_LENGTH)]
    groups = zip(*[iter(letters)] * _GROUP_LENGTH, strict=True)
    code = "-".join("".join(group) for group in groups)
    values = {
        "factory": factory,
        "gateway": gateway,
        "code_sha256": _code_hash(code),
        "by_certificate": by_certificate,
        "hours": hours,
        "attempts": _ATTEMPTS,
    }
    with transaction(conn):
        factory_by_code(conn, factory)
        home = conn.execute(query("gateway_factory"), {"gateway": gateway}).fetchone()
        if home is not None and home[0] != factory:
            raise Refused(f"gateway {gateway} is enrolled at factory {home[0]}; choose another id")
        conn.execute(query("void_codes"), {"gateway": gateway})
        conn.execute(query("insert_enrolment_code"), values)
        detail = {"factory": factory, "hours": hours, "by_certificate": by_certificate}
        _note(conn, gateway, "code_made", actor, detail)
    return code


def enrol(
    conn: Connection, asked: Enrolment, fingerprint: bytes | None, *, actor: str
) -> str | None:
    """Register a gateway's key for the factory of its code; return its token.

    None where the code is for a client certificate: its SHA-256 fingerprint is registered then.
    Until the gateway has come with its token, the same code and key give a new one, since the
    answer may get lost. Raises BadSignature, EnrolmentRefused, or Refused.
    """
    proof = enrolment_proof(asked.gateway, asked.code, asked.public_key)
    if not verify(asked.public_key, proof, asked.signature):
        raise BadSignature("the enrolment is not signed with the private half of its key")
    with transaction(conn):
        found = _spend(conn, asked, actor)
        if not isinstance(found, str):
            return _let_in(conn, asked, found, fingerprint, actor)
    # Only here, so that the attempt which was spent is committed.
    raise EnrolmentRefused(f"{found}; ask for a new one (`millpond db enrolment-code`)")


@dataclass(frozen=True, slots=True)
class _Code:
    number: int
    factory: str
    by_certificate: bool


def _spend(conn: Connection, asked: Enrolment, actor: str) -> _Code | str:
    """Spend the code that was given, or return why it is worth nothing.

    A wrong code is noted only where it costs an attempt: strangers may not fill the record.
    """
    key = {"gateway": asked.gateway, "code_sha256": _code_hash(asked.code)}
    row = conn.execute(query("enrolment_code"), key).fetchone()
    if row is None:
        if conn.execute(query("spend_attempts"), {"gateway": asked.gateway}).rowcount:
            _note(conn, asked.gateway, "enrolment_refused", actor, {"why": "wrong code"})
        return f"this is no enrolment code of gateway {asked.gateway}"
    number, factory, by_certificate, has_expired, attempts_left, used_key = row
    if used_key is not None and (
        bytes(used_key) != asked.public_key
        or conn.execute(query("has_used_token"), {"gateway": asked.gateway}).fetchone() == (True,)
    ):
        return "the enrolment code was used already"
    if has_expired:
        return "the enrolment code has expired"
    if attempts_left == 0:
        return (
            "the enrolment code is void: there is a newer one, too many wrong ones were tried, or "
            "the gateway was revoked"
        )
    conn.execute(query("spend_code"), {"enrolment_code_id": number, "public_key": asked.public_key})
    return _Code(number, factory, by_certificate)


def _let_in(
    conn: Connection, asked: Enrolment, code: _Code, fingerprint: bytes | None, actor: str
) -> str | None:
    if code.by_certificate and fingerprint is None:
        raise EnrolmentRefused(
            "this code is for a client certificate and none came: set certificate and private_key "
            "in [sink] of the gateway file, then use the same code"
        )
    register_gateway(conn, code.factory, asked.gateway, asked.public_key, actor=actor)
    conn.execute(query("end_tokens"), {"gateway": asked.gateway, "unused_only": False})
    conn.execute(query("end_certificates"), {"gateway": asked.gateway})
    if not code.by_certificate:
        return _new_token(conn, asked.gateway)
    values = {"gateway": asked.gateway, "fingerprint": fingerprint}
    if conn.execute(query("insert_certificate"), values).rowcount == 0:
        raise EnrolmentRefused("another gateway has this certificate; each needs its own")
    return None


def by_token(conn: Connection, token: str) -> str:
    """Return the gateway that a token belongs to; raises AccessDenied or GatewayRevoked."""
    key = {"token_sha256": _token_hash(token)}
    with transaction(conn):
        row = conn.execute(query("token_owner"), key).fetchone()
        if row is None:
            raise AccessDenied("this token is not known; enrol the gateway again")
        gateway, is_revoked, has_ended, is_new = row
        _check(gateway, is_revoked, has_ended, "token")
        if is_new:
            conn.execute(query("confirm_token"), key)
    return str(gateway)


def by_certificate(conn: Connection, fingerprint: bytes) -> str:
    """Return the gateway of a certificate's SHA-256; raises AccessDenied or GatewayRevoked."""
    with transaction(conn):
        row = conn.execute(query("certificate_owner"), {"fingerprint": fingerprint}).fetchone()
    if row is None:
        raise AccessDenied("this client certificate is not known; enrol the gateway with it")
    gateway, is_revoked, has_ended = row
    _check(gateway, is_revoked, has_ended, "client certificate")
    return str(gateway)


def _check(gateway: str, is_revoked: bool, has_ended: bool, what: str) -> None:
    if is_revoked:
        raise GatewayRevoked(f"gateway {gateway} was revoked; ask the city why")
    if has_ended:
        raise AccessDenied(
            f"this {what} of gateway {gateway} was replaced by a newer one; "
            "see whether a copy of the gateway is running, or enrol it again"
        )


def renew_token(conn: Connection, gateway: str, *, actor: str) -> str:
    """Return a new token; the one in use holds until the gateway first comes with the new one."""
    with transaction(conn):
        conn.execute(query("end_tokens"), {"gateway": gateway, "unused_only": True})
        _note(conn, gateway, "token_renewed", actor, {})
        return _new_token(conn, gateway)


def revoke_gateway(conn: Connection, gateway: str, *, actor: str, reason: str = "") -> None:
    """Take nothing more from a gateway until it is enrolled again; raises UnknownGateway.

    What it sent before stays: it was signed with its key while that was good.
    """
    key = {"gateway": gateway}
    with transaction(conn):
        conn.execute(query("void_codes"), key)
        if conn.execute(query("revoke_gateway"), key).fetchone() is None:
            raise UnknownGateway(f"no gateway {gateway} is enrolled")
        conn.execute(query("end_tokens"), {**key, "unused_only": False})
        conn.execute(query("end_certificates"), key)
        _note(conn, gateway, "revoked", actor, {"reason": reason})


def _new_token(conn: Connection, gateway: str) -> str:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    values = {"gateway": gateway, "token_sha256": _token_hash(token)}
    if conn.execute(query("insert_token"), values).rowcount == 0:
        raise UnknownGateway(f"no gateway {gateway} is enrolled")
    return token


def _note(conn: Connection, gateway: str, action: str, actor: str, detail: dict[str, Any]) -> None:
    values = {"gateway": gateway, "action": action, "actor": actor, "detail": Jsonb(detail)}
    conn.execute(query("insert_gateway_event"), values)


def _code_hash(code: str) -> bytes:
    return hashlib.sha256(code.upper().translate(_ALIKE).encode("utf-8", "replace")).digest()


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
