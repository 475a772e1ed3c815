"""Registered clients, their keys and their agreements."""
