"""Command `ingest`: its options, its progress, its run."""
