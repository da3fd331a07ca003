"""Business events: a record as a system sent it, with the instant at which it did."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One version of a business record; topic is the path below the plant's own topic."""

    sent_us: int
    topic: str
    kind: str
    key: str
    # The business time as the system writes it: a local date or an ISO time.
    at: str
    body: dict[str, Any]
