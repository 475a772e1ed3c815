"""Rate limits, and replay protection of DPoP proofs and assertions. Losing its store loses no fact."""
