"""Composition root: the millpond command, embedded services and the demo."""
