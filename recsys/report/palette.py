"""The colours of a report, for light and for dark screens."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "ink": "#17202b", "soft": "#566172", "line": "#dde2e8", "paper": "#ffffff", "card": "#f5f7f9",
    "shade": "#eceff3", "accent": "#0b6e5f",
    "m0": "#66727f", "m1": "#0067a5", "m2": "#c24a00", "m3": "#608f7a", "m4": "#661467",
    "m5": "#a77845", "m6": "#a663f3", "m7": "#1b8ebf", "m8": "#826144", "m9": "#334725",
    "m10": "#7c0017", "m11": "#2b29b5", "m12": "#af2300", "m13": "#0c4a45", "m14": "#55108b",
    "q0": "#0b5d51", "q1": "#3f9384", "q2": "#8cc4b8", "q3": "#d3e8e3",
}  # fmt: skip
"""``m`` are models, m0 the floor, ``q`` steps of a scale.

Every two models lie at least 11 units of CIELAB apart, for red-, green- and blue-blind eyes too (in the
simulation of Machado et al. 2009), the first seven 14. That is enough for dots with a name beside them;
lines that cross also differ by dashes (`recsys.report.charts.parts.looks`).
"""

DARK: Mapping[str, str] = {
    "ink": "#e8ecf2", "soft": "#a3aebd", "line": "#303a47", "paper": "#11161d", "card": "#1a212b",
    "shade": "#222b36", "accent": "#5fd0b9",
    "m0": "#96a2b2", "m1": "#5db5f5", "m2": "#ff9a5c", "m3": "#88fc9b", "m4": "#b265b1",
    "m5": "#dac70d", "m6": "#6b73fb", "m7": "#c5f5fd", "m8": "#bc6f4c", "m9": "#faf314",
    "m10": "#f4b0ad", "m11": "#afc6e5", "m12": "#d75b20", "m13": "#5a847a", "m14": "#9b68d9",
    "q0": "#8fe0cf", "q1": "#4fa898", "q2": "#2e6c62", "q3": "#1f413c",
}  # fmt: skip


def declared(palette: Mapping[str, str]) -> str:
    """Return a palette as custom properties of a style sheet."""
    return "\n".join(f"  --{name}: {colour};" for name, colour in palette.items())
