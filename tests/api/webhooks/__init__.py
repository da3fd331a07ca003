"""Webhooks are sent to real receivers on this machine."""
