"""HTTP: systems that send their records and values to the gateway."""
