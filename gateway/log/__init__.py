"""Transparency log over HTTP: checkpoints, tiles, public events, receipts."""
