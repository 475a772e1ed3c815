"""Portal pages on which an enterprise decides, changes and withdraws consents."""
