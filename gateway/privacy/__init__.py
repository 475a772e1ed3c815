"""Encryption of personal fields, and masking of personal numbers in free text."""
