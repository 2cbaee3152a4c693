"""Worked examples of extensions, one short file each; CONTRIBUTING shows them, and a test runs them."""
