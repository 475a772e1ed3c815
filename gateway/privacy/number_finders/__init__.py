"""Finding personal numbers in texts. `gateway.privacy.redaction` is its door."""
