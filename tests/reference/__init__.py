"""Naive twins in plain loops; they share no code with the library."""
