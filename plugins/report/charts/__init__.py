"""Rows -> charts in Vega-Lite: a module for each part of the report, and what they have in common."""
