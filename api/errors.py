"""What can go wrong in the API itself; errors of the database come as StoreError.

ApiError
├── NotFound
├── NotLoggedIn
│   └── LogInUnfinished
├── Forbidden
│   └── CrossSite
├── LogInRefused
├── PasswordRefused
├── AccountRefused
├── AddressRefused
├── NotLoopback
└── NotServed
"""


class ApiError(Exception):
    """The API could not do what was asked."""


class NotFound(ApiError):
    """What the address names does not exist."""


class NotLoggedIn(ApiError):
    """Nobody knows who asks; log in first."""


class LogInUnfinished(NotLoggedIn):
    """A code, a device or a password of one's own is lacking; `stage` says which."""

    def __init__(self, message: str, stage: str) -> None:
        super().__init__(message)
        self.stage = stage


class Forbidden(ApiError):
    """The caller's role does not permit this; ask somebody whose role does."""


class CrossSite(Forbidden):
    """The request does not come from a page of the caller's own session; open the page again."""


class LogInRefused(ApiError):
    """Login, password or code is wrong, or there were too many failures; wait, then try again."""


class PasswordRefused(ApiError):
    """The new password breaks a rule; `faults` are the codes of those that it breaks."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


class AccountRefused(ApiError):
    """The account cannot be made or changed like this; `fault` is the code of why."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class AddressRefused(ApiError):
    """Nothing is delivered to this address; the message says why."""


class NotLoopback(ApiError):
    """Others are served over TLS and under names that the operator gives; else 127.0.0.1."""


class NotServed(ApiError):
    """The server could not start; see the message."""
