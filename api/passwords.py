"""Hashes of passwords, and what a password must be."""

import secrets
import string
import threading
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.access import AccessPolicy

# A hash takes 64 MiB for as long as it takes: so many at once, and the others wait.
_AT_ONCE = threading.BoundedSemaphore(2)
_HASHER = PasswordHasher()
_LONGEST = 128
_COMMON = ("password", "admin", "qwerty", "millpond", "nantong", "123456", "abc123", "111111")
# Nothing that a person could mistake for something else when it is read aloud.
_READABLE = "abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-+=%"


def hashed(password: str) -> str:
    """Return the Argon2id hash of a password with its own salt."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def fits(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is the one of a hash.

    Without a hash it takes as long and is False, so that the time tells nobody which logins exist.
    """
    with _AT_ONCE:
        try:
            found = _HASHER.verify(password_hash or _nobodys(), password[: 4 * _LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return found and password_hash is not None


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe())


def faults(
    password: str,
    policy: AccessPolicy,
    *,
    login: str,
    companies: Iterable[str] = (),
    past: Iterable[str] = (),
) -> list[str]:
    """Return what is wrong with a new password, as codes of texts; `past` are hashes."""
    found = []
    lower = password.lower()
    if not policy.shortest_password <= len(password) <= _LONGEST:
        found.append("length")
    if _classes(password) < policy.least_classes:
        found.append("classes")
    if login.lower() in lower or any(name and name.lower() in lower for name in companies):
        found.append("names")
    if any(word in lower for word in _COMMON):
        found.append("common")
    if not found and any(fits(each, password) for each in past):
        found.append("again")
    return found


def _classes(password: str) -> int:
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    present = [any(letter in kind for letter in password) for kind in kinds]
    present.append(any(letter not in "".join(kinds) for letter in password))
    return sum(present)


def temporary() -> str:
    """Return a random password that a person can read and type, to be changed at once."""
    letters = [secrets.choice(kind) for kind in _READABLE for _ in range(4)]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)
