"""The charts of a report, by Vega-Altair."""
