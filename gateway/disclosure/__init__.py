"""Disclosures, written before the answer leaves: recipient, content, ground; notices of changes."""
