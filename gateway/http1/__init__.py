"""HTTP/1.1 server protocol: message heads, framing, bounds, canonical paths."""
