"""Long checks, each one command; the suite runs a short form of every one (`tests/test_stress.py`)."""
