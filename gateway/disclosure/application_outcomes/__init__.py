"""Outcomes of applications, told back by the client after a query, with reasons of a closed list."""
