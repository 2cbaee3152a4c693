"""Logs, ids and the sparse user-item matrix."""
