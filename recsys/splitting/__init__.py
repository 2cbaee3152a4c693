"""Splits: a log in, row numbers out."""
