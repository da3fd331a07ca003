"""Where each county stands in the diagram of the city: a grid of named tiles, not a map."""

# Column and row by region code, roughly as they lie: north is up.
PLACES: dict[str, tuple[int, int]] = {
    "320685": (1, 1),
    "320682": (1, 2),
    "320623": (2, 2),
    "320613": (1, 3),
    "320612": (2, 3),
    "320671": (1, 4),
    "320614": (2, 4),
    "320681": (3, 4),
}
