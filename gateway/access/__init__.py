"""Checks of every call under /v1: token, proof, limits, client, agreement; request bodies; signing."""
