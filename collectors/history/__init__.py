"""History: tables of the past, imported through the same batches as live data."""
