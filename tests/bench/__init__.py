"""Benchmark of the gateway against baselines in one run: read the ratios, not the absolute times."""
