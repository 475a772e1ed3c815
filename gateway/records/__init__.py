"""Departments: they deliver records, act on them, and answer the objections to them."""
