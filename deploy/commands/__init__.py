"""The verbs of the millpond command, one module a group."""
