"""Sending requests and verifying their responses: tokens, retries, time limits, errors."""
