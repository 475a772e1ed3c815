"""HTTP endpoints of the fake gateway: OAuth, and `/v1`."""
