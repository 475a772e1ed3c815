"""HTTP/1.1 as the gateway speaks it: message heads, framing, bounds, one spelling of each path."""
