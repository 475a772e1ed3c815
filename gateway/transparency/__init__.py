"""The transparency log: Merkle tree, tiles, signed checkpoints (RFC 9162; C2SP tlog-tiles)."""
