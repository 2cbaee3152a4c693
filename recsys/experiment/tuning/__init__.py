"""Choosing a model's parameters by what it is worth on data it was not fitted to."""
