"""A client's own limits, `/v1/limits`."""
