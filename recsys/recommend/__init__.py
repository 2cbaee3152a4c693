"""Fitted model and seen items in, ranked items and reasons out."""
