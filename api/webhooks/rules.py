"""Where deliveries may go, and how long they are tried."""

import ipaddress
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MINUTE_S = 60.0
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """`networks` are those beside the public internet that the operator lets deliveries into.

    Plain http goes to loopback alone, and only where loopback is among the networks.
    """

    networks: tuple[Network, ...] = ()
    # A file of certificates to trust beside those that the machine trusts.
    ca: str | None = None
    # Before a part is tried for the second time, the third, and so on: then it is given up.
    waits_s: tuple[float, ...] = (
        *(10.0, _MINUTE_S, 5 * _MINUTE_S, 30 * _MINUTE_S),
        *(2 * _HOUR_S, 6 * _HOUR_S, 12 * _HOUR_S, 24 * _HOUR_S),
    )
    # From looking up the name to the end of the answer's head.
    within_s: float = 10.0
    most_entries: int = 100
    # Subscriptions that are served side by side.
    most_at_once: int = 20
    # How long to look away when there was nothing to do.
    rest_s: float = 2.0
    # Answers under an Idempotency-Key are kept so long.
    answers_kept_s: float = 24 * _HOUR_S
