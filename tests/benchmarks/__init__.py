"""Measurements beside the tests; see README.md."""
