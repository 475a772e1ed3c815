"""Telling an enterprise, outside the portal, what was asked of it or done in its name."""
