"""Recommendations and held-out items in, measurements out."""
