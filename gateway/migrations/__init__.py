"""Alembic, over the metadata of all rooms."""
