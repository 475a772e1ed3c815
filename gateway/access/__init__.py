"""Who is calling, and may they: token, proof, limits, client, agreement, as one visible list."""
