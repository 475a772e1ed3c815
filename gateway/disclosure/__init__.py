"""What was told, to whom and why: written before it leaves, and provable afterwards."""
