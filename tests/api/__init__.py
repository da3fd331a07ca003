"""Tests of the REST interface, the pages and the pictures."""
