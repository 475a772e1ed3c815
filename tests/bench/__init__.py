"""Ratios within one run: absolute times are the machine's, what is compared shares all its noise."""
