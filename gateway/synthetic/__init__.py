"""Synthetic data and the demo: a made-up province of enterprises with credit files."""
