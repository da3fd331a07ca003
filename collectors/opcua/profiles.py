"""What an OPC UA server can bear: a table of server models, bounded by the server's own limits.

A limit that a server reports is a maximum of the protocol, not a size that it handles well, so
the smaller one of the two counts.
"""

import csv
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

AUTO = "auto"
_UNKNOWN = "unknown"
_TABLE = Path(__file__).with_name("profiles.csv")


@dataclass(frozen=True, slots=True)
class Profile:
    """Sizes for one model of server; max_items is that of a session, 0 without a known limit."""

    name: str
    pattern: str
    max_items: int
    items_per_subscription: int
    items_per_call: int
    nodes_per_read: int
    source: str

    def bounded(self, *, items_per_call: int | None, nodes_per_read: int | None) -> "Profile":
        """Return this profile within the limits that the server reports; None and 0 set none."""
        return replace(
            self,
            items_per_call=_least(self.items_per_call, items_per_call),
            nodes_per_read=_least(self.nodes_per_read, nodes_per_read),
        )


@cache
def table() -> tuple[Profile, ...]:
    """Return the profiles in the order of the table, in which they are tried."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Profile(
                row["profile"],
                row["pattern"],
                int(row["max_items"]),
                int(row["items_per_subscription"]),
                int(row["items_per_call"]),
                int(row["nodes_per_read"]),
                row["source"],
            )
            for row in csv.DictReader(file)
        )


def names() -> tuple[str, ...]:
    """Return the names of the profiles."""
    return tuple(profile.name for profile in table())


def profile_for(wanted: str, build_info: str) -> Profile:
    """Return the profile of that name or, for auto, the first that the build info fits."""
    profiles = {profile.name: profile for profile in table()}
    if wanted != AUTO:
        return profiles[wanted]
    for profile in profiles.values():
        if profile.pattern and re.search(profile.pattern, build_info, re.IGNORECASE):
            return profile
    return profiles[_UNKNOWN]


def _least(ours: int, reported: int | None) -> int:
    return min(ours, reported) if reported else ours
