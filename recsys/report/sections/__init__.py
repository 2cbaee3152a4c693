"""The sections of a report, one a file; each file ends in its registration."""
