"""Codes that change every 30 s (RFC 6238), and codes for whoever lost the device."""

import secrets
from datetime import datetime

import pyotp
import segno

from store.acting import key_of

ISSUER = "Millpond"

_STEP_S = 30
# A clock may be a step early or late.
_DRIFT_STEPS = 1
_RECOVERY_CODES = 10
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP_LENGTH = 3, 4  # 59 bits


def new_secret() -> str:
    """Return a secret for one device, in base 32."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """Return the time step that a code belongs to, or None where it is no code of these minutes.

    The caller spends the step, since a code that was seen opens nothing again.
    """
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdecimal()):
        return None
    maker = pyotp.TOTP(secret, interval=_STEP_S)
    now = int(at.timestamp()) // _STEP_S
    for step in range(now - _DRIFT_STEPS, now + _DRIFT_STEPS + 1):
        if secrets.compare_digest(maker.generate_otp(step), digits):
            return step
    return None


def picture(secret: str, login: str) -> str:
    """Return the picture that a device reads the secret from, as a data URI of an SVG."""
    address = pyotp.TOTP(secret, interval=_STEP_S).provisioning_uri(name=login, issuer_name=ISSUER)
    return segno.make(address, error="m").svg_data_uri(scale=5, border=4)


def recovery_codes() -> list[str]:
    """Return codes that open once each."""
    return [_recovery_code() for _ in range(_RECOVERY_CODES)]


def _recovery_code() -> str:
    letters = [secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP_LENGTH)]
    groups = zip(*[iter(letters)] * _GROUP_LENGTH, strict=True)
    return "-".join("".join(group) for group in groups)


def recovery_key(code: str) -> str:
    """Return what the database knows a recovery code by."""
    return key_of("".join(code.lower().split()).replace("-", ""))
