"""Sign-in, sessions and permissions of an enterprise's people, and interactions put to them."""
