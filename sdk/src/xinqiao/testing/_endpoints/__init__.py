"""What the fake gateway answers: OAuth endpoints, and those under /v1."""
