"""The feed of what a client was told and is to be used no more, and of what became of its consents."""
