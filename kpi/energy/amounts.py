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

    def times(self, factor: float, units: float = 1.0) -> "Amount":
        """Return the amount times a factor above 0, in larger units."""
        sides = (self.low, self.point, self.high)
        return Amount(*(side * factor / units for side in sides))

    def holding(self, value: float) -> "Amount":
        """Return the amount with bounds that hold a value too."""
        return Amount(min(self.low, value), self.point, max(self.high, value))

    @staticmethod
    def exactly(value: float) -> "Amount":
        """Return an amount without doubt."""
        return Amount(value, value, value)
