"""Tests of the evidence for the construction points."""
