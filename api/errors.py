"""What can go wrong in the API itself; errors of the database come as StoreError.

ApiError
├── NotFound
├── NotLoopback
└── NotServed
"""


class ApiError(Exception):
    """The API could not do what was asked."""


class NotFound(ApiError):
    """What the address names does not exist."""


class NotLoopback(ApiError):
    """There is no login yet, so the API listens on this machine alone; use host 127.0.0.1."""


class NotServed(ApiError):
    """The server could not start; see the message."""
