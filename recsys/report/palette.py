"""The colours of a report, for light and for dark screens; told apart by everybody."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "ink": "#17202b", "soft": "#566172", "line": "#dde2e8", "paper": "#ffffff", "card": "#f5f7f9",
    "shade": "#eceff3", "accent": "#0b6e5f",
    "m0": "#7b8794", "m1": "#0067a5", "m2": "#c24a00", "m3": "#00795a", "m4": "#a03f82",
    "m5": "#8f6400", "m6": "#5b5bd6", "m7": "#2d87b8", "m8": "#8c3a2b",
    "m9": "#5a7d00", "m10": "#c2185b", "m11": "#3d4f66",
    "q0": "#0b5d51", "q1": "#3f9384", "q2": "#8cc4b8", "q3": "#d3e8e3",
}  # fmt: skip
"""``m`` are models (m0 the floor, then blue and vermilion, which nobody confuses), ``q`` steps of a scale."""

DARK: Mapping[str, str] = {
    "ink": "#e8ecf2", "soft": "#a3aebd", "line": "#303a47", "paper": "#11161d", "card": "#1a212b",
    "shade": "#222b36", "accent": "#5fd0b9",
    "m0": "#96a2b2", "m1": "#5db5f5", "m2": "#ff9a5c", "m3": "#3fd0a4", "m4": "#ee9fd2",
    "m5": "#e9bd4c", "m6": "#a8a8ff", "m7": "#9ad7f8", "m8": "#e88f80",
    "m9": "#b5d95a", "m10": "#ff86ab", "m11": "#c0cbdb",
    "q0": "#8fe0cf", "q1": "#4fa898", "q2": "#2e6c62", "q3": "#1f413c",
}  # fmt: skip


def declared(palette: Mapping[str, str]) -> str:
    """Return a palette as custom properties of a style sheet."""
    return "\n".join(f"  --{name}: {colour};" for name, colour in palette.items())
