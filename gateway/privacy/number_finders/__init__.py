"""Finders of personal numbers in folded texts, used by `gateway.privacy.redaction`."""
