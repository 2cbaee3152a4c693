"""Text that can be written: half of a surrogate pair, as a damaged export may hold, cannot."""

from __future__ import annotations


def is_encodable(text: str) -> bool:
    """Return whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
