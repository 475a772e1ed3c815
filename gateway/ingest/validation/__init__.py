"""Validation of delivered rows against the catalogue: row by row, and by column for clean batches."""
