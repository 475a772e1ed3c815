"""How often a client may call, and that no proof is used twice. Losing its store loses no fact."""
