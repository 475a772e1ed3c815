"""Periodic work of a gateway process: sequencing, notices, housekeeping, catalogue reload, ingest."""
