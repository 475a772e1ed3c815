"""Generator of the synthetic province: enterprises with their records, reproducible from seed and day."""
