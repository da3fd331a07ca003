"""Gateway: reads a factory's machines, meters and systems, and never writes to them."""
