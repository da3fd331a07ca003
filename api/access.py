"""How people log in: limits of sessions, passwords and failures, each with its source."""

from dataclasses import dataclass

from api.permissions import ADMINISTRATORS, OFFICERS, Role

_MINUTE_S = 60
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Proposals after GB/T 22239-2019 (level 3, identification), until the bureau sets its own."""

    idle_s: int = 30 * _MINUTE_S
    longest_s: int = 8 * _HOUR_S
    # Failures that lock an account or an address, and for how long.
    most_failures: int = 5
    lock_s: int = 15 * _MINUTE_S
    shortest_password: int = 10
    least_classes: int = 3
    passwords_kept: int = 5
    # Officers and administrators choose a new password after so many days.
    password_days: int = 90
    # False only where a sample city is shown; the pages say so.
    second_factor: bool = True
    # How long somebody may take at the bureau's own provider.
    provider_s: int = 10 * _MINUTE_S

    def needs_second_factor(self, role: str) -> bool:
        """Tell whether a role logs in with a code as well."""
        return self.second_factor and is_official(role)


def is_official(role: str) -> bool:
    """Tell officers and administrators from all others: stricter rules hold for them."""
    return Role(role) in OFFICERS | ADMINISTRATORS
