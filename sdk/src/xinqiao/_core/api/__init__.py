"""API methods of a client, one flow each."""
