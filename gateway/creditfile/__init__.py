"""Credit files: what the departments say about each enterprise, and until when it may be told."""
