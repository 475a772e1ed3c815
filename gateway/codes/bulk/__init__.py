"""Bulk issue: one code for each enterprise of a division, written to an NDJSON file."""
