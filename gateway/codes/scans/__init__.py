"""Coarse scan counts per code and day, and the rule that finds unusual ones. No address is kept."""
