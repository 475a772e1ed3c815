"""Verification of many rows in batches, under signed manifests."""
