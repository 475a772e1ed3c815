"""Registered clients, their keys, and the agreements that say what each may do."""
