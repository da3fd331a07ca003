"""Which pieces of equipment are told apart, so that none is counted twice."""

from collections.abc import Sequence

from store.registry import Asset


def serial(asset: Asset) -> str | None:
    """Return the serial number as it is compared, None where the plan gives none."""
    return (asset.serial or "").strip().upper() or None


def address(asset: Asset) -> str | None:
    """Return the address in the network as it is compared, None where the plan gives none."""
    return (asset.address or "").strip().lower() or None


def distinct(assets: Sequence[Asset]) -> list[Asset]:
    """Return the assets with a serial number, and an address if any, that none before them has.

    Without a serial number nobody can tell two from one; two that answer at one address are one.
    """
    serials: set[str] = set()
    addresses: set[str] = set()
    found = []
    for asset in assets:
        number, place = serial(asset), address(asset)
        if number is None or number in serials or place in addresses:
            continue
        serials.add(number)
        addresses |= {place} if place else set()
        found.append(asset)
    return found
