"""Fitted recommenders: parameters, checks and names around the solvers."""
