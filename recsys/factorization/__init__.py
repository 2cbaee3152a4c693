"""Solvers: arrays in, factors out."""
