"""Simulated plants: physics, protocol servers, business systems and their truth."""
