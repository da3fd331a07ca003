"""The console: Python decides what is shown, templates print it."""
