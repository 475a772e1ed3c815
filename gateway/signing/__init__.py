"""Signing keys, JWS, access tokens, DPoP nonces, HTTP message signatures, keyed digests."""
