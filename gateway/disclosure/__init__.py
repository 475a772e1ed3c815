"""Disclosures: what was told to whom and why, written before it leaves; notices of changes to it."""
