"""HTTP of every call under /v1: bodies, digests, query parameters, deadlines, the outermost middleware."""
