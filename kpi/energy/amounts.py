"""A quantity that is known between bounds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity with low <= point <= high, in one unit."""

    low: float = 0.0
    point: float = 0.0
    high: float = 0.0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.low + other.low, self.point + other.point, self.high + other.high)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.low - other.high, self.point - other.point, self.high - other.low)

    def times(self, factor: float) -> "Amount":
        """Return the amount in another unit; the factor is above 0."""
        return Amount(self.low * factor, self.point * factor, self.high * factor)

    def holding(self, value: float) -> "Amount":
        """Return the amount with bounds that hold a value too."""
        return Amount(min(self.low, value), self.point, max(self.high, value))

    @staticmethod
    def exactly(value: float) -> "Amount":
        """Return an amount without doubt."""
        return Amount(value, value, value)
