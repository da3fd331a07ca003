"""Where batches go: one thread sends them over a transport, directly or to the city."""
