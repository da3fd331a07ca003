"""Tests of the pure formulas."""
