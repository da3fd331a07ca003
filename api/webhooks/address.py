"""Where a delivery may go: never to what only this machine's own network reaches.

A subscriber names an address that this machine then connects to. Without a check that would let
whoever may subscribe reach into the bureau's network (server-side request forgery, CWE-918). The
name is looked up once, every address that it has is judged, and the connection goes to the one
judged, so that a name that changes in between leads nowhere else.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from api.errors import AddressRefused
from api.webhooks.rules import DeliveryRules

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_CHARACTERS = 500
_PORTS = {"https": 443, "http": 80}
# Addresses of the older family inside the newer one: judged by what they lead to.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """A name and the one of its addresses to connect to."""

    url: SplitResult
    address: Address
    port: int


def check(url: str) -> SplitResult:
    """Return the parts of an address that could be delivered to; raises AddressRefused."""
    if len(url) > MOST_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused("the address is longer than 500 characters or has others than ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"not an address: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise AddressRefused("the address begins with https:// and names a host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("the address carries no user, password or fragment")
    return parts


async def resolve(url: str, rules: DeliveryRules) -> Target:
    """Look up where an address leads; raises AddressRefused for where nothing may be sent."""
    parts = check(url)
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"the name {host} is not known") from error
    addresses = [ipaddress.ip_address(each[4][0]) for each in found]
    if not addresses:
        raise AddressRefused(f"the name {host} has no address")
    for address in addresses:
        _judge(address, parts.scheme, rules)
    return Target(parts, addresses[0], port)


def _judge(given: Address, scheme: str, rules: DeliveryRules) -> None:
    address = _inner(given)
    named = any(address in network for network in rules.networks)
    is_own = not address.is_global or address.is_multicast
    # Python calls the old addresses of a site (RFC 3879) global.
    is_own |= isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    if not named and is_own:
        raise AddressRefused(
            "the address lies in a network of its own; the operator names those that deliveries "
            "may go to (--webhook-network)"
        )
    if scheme != "https" and not (named and address.is_loopback):
        raise AddressRefused("deliveries go by https only")


def _inner(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
