"""Tests of the gateway, against real servers, a real broker and a real database."""
