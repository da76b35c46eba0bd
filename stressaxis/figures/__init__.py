"""Figures of the report: one module each, Vega-Altair definitions that give interactive and static pictures."""
