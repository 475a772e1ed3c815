"""Rules of requests and of a test's own data, by the gateway's published tables."""
