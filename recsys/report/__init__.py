"""Measurements in; sentences, tables and pages out."""
